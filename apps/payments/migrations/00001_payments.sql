-- +goose Up
-- One row per order, added before the bank is called. "pending" means that it
-- is unknown whether money moved.
CREATE TABLE charges (
    order_id     TEXT PRIMARY KEY,
    amount_minor BIGINT NOT NULL,
    currency     TEXT   NOT NULL,
    card         TEXT   NOT NULL,
    status       TEXT   NOT NULL CHECK (status IN ('pending', 'charged', 'declined', 'voided')),
    bank_id      TEXT   NOT NULL, -- '' until the bank has answered
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);

-- The audited entries of the bank's statement.
CREATE TABLE audited (
    seq          BIGINT PRIMARY KEY,
    order_id     TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    amount_minor BIGINT NOT NULL
);
CREATE INDEX audited_order ON audited (order_id);

-- +goose Down
DROP TABLE audited;
DROP TABLE charges;
