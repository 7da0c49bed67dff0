-- +goose Up
CREATE TABLE charges (
    key          TEXT PRIMARY KEY, -- the idempotency key
    id           TEXT   NOT NULL,  -- the bank's own reference
    amount_minor BIGINT NOT NULL,
    currency     TEXT   NOT NULL,
    status       TEXT   NOT NULL CHECK (status IN ('approved', 'declined', 'voided')),
    at           BIGINT NOT NULL
);

-- The ledger. The bank's balance is sum(amount_minor). The table above makes
-- sure that a key is charged once. There is no constraint for that here, so
-- that an audit of the ledger could find an error.
CREATE TABLE ledger (
    seq          BIGINT PRIMARY KEY,
    key          TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('charge', 'refund')),
    amount_minor BIGINT NOT NULL, -- negative for a refund
    at           BIGINT NOT NULL
);

-- The row is locked until the transaction that took a number commits. So
-- entries appear in order, and a reader of the ledger misses none.
CREATE TABLE ledger_seq (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO ledger_seq (id, last) VALUES (1, 0);

-- +goose Down
DROP TABLE ledger_seq;
DROP TABLE ledger;
DROP TABLE charges;
