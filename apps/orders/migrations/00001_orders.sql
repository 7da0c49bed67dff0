-- +goose Up
CREATE TABLE orders (
    id           TEXT PRIMARY KEY,
    user_id      TEXT   NOT NULL,
    card         TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('placed', 'reserved', 'confirmed', 'shipped', 'refunding', 'releasing', 'failed')),
    reason       TEXT   NOT NULL, -- why the order failed; '' if it did not
    lines        TEXT   NOT NULL, -- JSON; prices are 0 until the stock is reserved
    total_minor  BIGINT NOT NULL,
    currency     TEXT   NOT NULL,
    trace        TEXT   NOT NULL, -- JSON: the trace context of the request
    attempts     BIGINT NOT NULL, -- attempts in the background
    due_at       BIGINT NOT NULL, -- when the saga is tried again
    leased_until BIGINT NOT NULL, -- until then a driver works on the order
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL, -- 0: not confirmed
    shipped_at   BIGINT NOT NULL -- 0: not shipped
);
CREATE INDEX orders_unsettled ON orders (due_at) WHERE state IN ('placed', 'reserved', 'refunding', 'releasing');

CREATE TABLE idempotency_keys (
    user_id     TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL, -- hash of the request
    order_id    TEXT   NOT NULL REFERENCES orders (id),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Events. They are added in the transaction that confirms the order.
CREATE TABLE outbox (
    id           TEXT PRIMARY KEY, -- a UUIDv7, so ids are ordered by time
    subject      TEXT   NOT NULL,
    payload      TEXT   NOT NULL,
    trace        TEXT   NOT NULL, -- JSON: the trace context of the request
    created_at   BIGINT NOT NULL,
    published_at BIGINT NOT NULL -- 0: not published
);
CREATE INDEX outbox_backlog ON outbox (id) WHERE published_at = 0;

-- +goose Down
DROP TABLE outbox;
DROP TABLE idempotency_keys;
DROP TABLE orders;
