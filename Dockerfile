# Two images from one build: "shop" runs the services, "firedrill" the receiver of notifications and the load.
# Both are one static program on an empty file system that nobody needs to write to; data goes to /data.
FROM golang:1.26.8-alpine3.24 AS build
WORKDIR /src
COPY . .
ARG VERSION=unknown
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$VERSION" -o /out/ ./cmd/shop ./cmd/firedrill \
    && mkdir /out/data

FROM scratch AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# A new volume takes its owner from the folder that it covers.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
WORKDIR /data

FROM base AS firedrill
COPY --from=build --chown=65534:65534 /out/data /prometheus
COPY --from=build /out/firedrill /firedrill
ENTRYPOINT ["/firedrill"]
CMD ["help"]

# The last stage is what "docker build ." makes.
FROM base AS shop
COPY --from=build /out/shop /shop
ENV SHOP_DATA=/data
HEALTHCHECK --interval=5s --timeout=2s --start-period=30s CMD ["/shop", "healthcheck", "all"]
ENTRYPOINT ["/shop"]
CMD ["all"]
