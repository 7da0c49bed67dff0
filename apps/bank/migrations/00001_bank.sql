-- +goose Up
CREATE TABLE charges (
    key          TEXT PRIMARY KEY, -- the idempotency key
    id           TEXT   NOT NULL,  -- the bank's own reference
    amount_minor BIGINT NOT NULL,
    currency     TEXT   NOT NULL,
    status       TEXT   NOT NULL CHECK (status IN ('approved', 'declined', 'voided')),
    at           BIGINT NOT NULL
);

-- The ledger: money taken is sum(amount_minor). That a key is charged once is
-- the work of the table above and not of a constraint here, so that an auditor
-- who reads the ledger could see it fail.
CREATE TABLE ledger (
    seq          BIGINT PRIMARY KEY,
    key          TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('charge', 'refund')),
    amount_minor BIGINT NOT NULL, -- signed: a refund is negative
    at           BIGINT NOT NULL
);

-- Its row is locked until the transaction that took a number commits, so that
-- numbers appear in order and a reader of the ledger misses none.
CREATE TABLE ledger_seq (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL
);
INSERT INTO ledger_seq (id, last) VALUES (1, 0);

-- +goose Down
DROP TABLE ledger_seq;
DROP TABLE ledger;
DROP TABLE charges;
