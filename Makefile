# Firedrill. "make" alone explains; docs/architecture.md shows the house.
#
#   PORT_OFFSET=N  moves every port by N     DATA=DIR  keeps all run-time data in DIR
#   STACK_BIN=DIR  shares built upstream programs between copies
#   STACK=compose  runs everything in containers (docs/containers.md)
#   DISTRIBUTED=on runs Loki and Tempo as several processes each (docs/distributed.md)
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
export FIREDRILL_ROOT := $(CURDIR)
ifdef PORT_OFFSET
export FIREDRILL_PORT_OFFSET := $(PORT_OFFSET)
endif
# absolute gives the path in the variable $(1) as it is written: it may have spaces, quotes, % and $$.
absolute = $(if $(filter /%,$(firstword $(value $(1)))),,$(CURDIR)/)$(value $(1))
ifdef STACK
export FIREDRILL_STACK := $(STACK)
endif
ifdef DISTRIBUTED
export FIREDRILL_DISTRIBUTED := $(DISTRIBUTED)
endif
ifdef DATA
export FIREDRILL_DATA := $(call absolute,DATA)
endif
ifdef STACK_BIN
export FIREDRILL_STACK_BIN := $(call absolute,STACK_BIN)
endif
FIREDRILL := .bin/firedrill

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo; sed -n '3,6s/^# *//p' Makefile | sed 's/^/  /'

##### build

.PHONY: build
build: ## build firedrill and the shop into .bin
	@mkdir -p .bin
	go build -buildvcs=false -ldflags "-X main.version=$(VERSION)" -o .bin/ ./cmd/...

.PHONY: build-stack
build-stack: build ## build the upstream programs too, without starting anything
	@$(FIREDRILL) build

$(FIREDRILL):
	@$(MAKE) --no-print-directory build

.PHONY: dashboards
dashboards: ## write the dashboards' JSON anew, after a change of their code
	go test ./dashboards -run Current -update

.PHONY: console
console: ## build the console's page anew, after a change of console/ui; needs Node
	cd console/ui && npm ci --no-audit --no-fund --ignore-scripts && npm run --silent check && npm run --silent build

##### run

.PHONY: up
up: build ## start everything; the first time this builds the upstream programs
	@$(FIREDRILL) up

.PHONY: status
status: | $(FIREDRILL) ## what runs, where, and whether it is ready
	@$(FIREDRILL) status

.PHONY: logs
logs: | $(FIREDRILL) ## what a component printed: make logs S=orders
	@$(FIREDRILL) logs -f $(or $(S),$(error say which component: make logs S=orders))

.PHONY: restart
restart: | $(FIREDRILL) ## stop and start one component: make restart S=orders
	@$(FIREDRILL) restart $(or $(S),$(error say which component: make restart S=orders))

.PHONY: ui
ui: | $(FIREDRILL) ## process-compose's terminal view
	@$(FIREDRILL) ui

.PHONY: down
down: | $(FIREDRILL) ## stop everything; nothing stays
	@$(FIREDRILL) down

.PHONY: reset
reset: | $(FIREDRILL) ## stop everything and delete its data; built programs stay
	@$(FIREDRILL) reset

.PHONY: verify
verify: | $(FIREDRILL) ## prove that every signal of every service arrives and leads to the others
	@$(FIREDRILL) verify

##### test

LINT := go tool -modfile=$(CURDIR)/.ci/lint/go.mod golangci-lint
NESTED := $(patsubst %/go.mod,%,$(wildcard telemetry/bench/go.mod loadgen/bench/go.mod alerts/bench/go.mod deploy/compose/check/go.mod deploy/kubernetes/check/go.mod))

# Programs and tests are built without C, as the images are, so that all of them share one cache; the race detector needs C.
export CGO_ENABLED ?= 0

.PHONY: prepare
prepare: ## install what the tests need, as far as it may be, and name what is missing
	@.ci/prepare

.PHONY: test
test: prepare ## everything but linters: unit tests with the race detector on both databases, dashboards, the real stack; about half an hour
	@MAKE="$(MAKE)" .ci/steps "build-stack 1 the programs and the stack" \
	  "test-unit 12 unit tests with the race detector, on SQLite and PostgreSQL" \
	  "test-dashboards 1 the dashboards, against Grafana's types" \
	  "test-stack 14 the real stack: up, verified, drilled, hung, killed, down"

.PHONY: lint
lint: ## the linters of .golangci.yml, at the version that .ci/lint/go.mod pins
	$(LINT) run ./...
	@for m in $(NESTED); do echo "golangci-lint run $$m"; (cd $$m && $(LINT) run -c $(CURDIR)/.golangci.yml ./...) || exit 1; done

.PHONY: tidy
tidy: ## write every go.mod anew, after a change of imports
	@for m in $$(git ls-files '*go.mod'); do echo "go mod tidy: $$m"; (cd $$(dirname $$m) && go mod tidy) || exit 1; done

.PHONY: test-unit
test-unit: build-stack ## unit tests with the race detector, on SQLite and a PostgreSQL of their own
	CGO_ENABLED=1 .ci/with-postgres go test -race -timeout 60m ./...
	.ci/with-postgres .ci/without-race ./...
	@for m in $(NESTED); do (cd $$m && $(CURDIR)/.ci/with-postgres go test -timeout 60m ./...) || exit 1; done

.PHONY: test-dashboards
test-dashboards: ## the generated dashboards, checked against Grafana's own types, and the console's page; needs Node
	dashboards/check/run
	console/ui/check

# One stack at a time: tests of a package run one after the other, and so do packages. The time-out is for what hangs.
STACK_TEST := .ci/with-postgres go test -count=1 -p 1 -parallel 1 -timeout 3h

.PHONY: test-stack
test-stack: build-stack ## the real stack, one at a time: up, verified, drilled, hung, the kill test, down
	$(STACK_TEST) -tags e2e ./cmd/...

.PHONY: soak
soak: build-stack ## the tests of the real stack again and again: idle, busy, pinned to one core; on a machine that does nothing else
	.ci/soak

.PHONY: ci-full
ci-full: lint test ## linters, everything of test, then every drill, the distributed stack, ten minutes of kills, a million requests
	$(STACK_TEST) -tags e2e,full -run 'TestEveryDrillPasses|TestDistributedStackIsProvenToo' ./cmd/firedrill
	$(STACK_TEST) -tags e2e -run TestNothingIsLostOrDoubled ./cmd/shop -args -kill-for 10m
	FIREDRILL_LONG=1000000 go test -count=1 -timeout 60m -run TestMemoryIsConstant ./loadgen/attack

##### measure

.PHONY: bench-stack
bench-stack: build-stack ## measure start, stop, memory and CPU of the native stack
	@$(FIREDRILL) bench-stack

.PHONY: bench-telemetry
bench-telemetry: ## measure what the telemetry library costs beside the usual stack
	cd telemetry/bench && go run . $(ARGS)

.PHONY: bench-load
bench-load: build ## compare the load generator with vegeta, hey and fortio, and with wrk and k6 if they are on the PATH
	cd loadgen/bench && go run . $(ARGS)
