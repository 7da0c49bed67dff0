-- +goose Up
CREATE TABLE products (
    id            TEXT PRIMARY KEY,
    name          TEXT   NOT NULL,
    description   TEXT   NOT NULL,
    category      TEXT   NOT NULL,
    price_minor   BIGINT NOT NULL CHECK (price_minor > 0),
    currency      TEXT   NOT NULL,
    on_hand       BIGINT NOT NULL CHECK (on_hand >= 0),
    restock_below BIGINT NOT NULL, -- 0: never restocked
    restock_to    BIGINT NOT NULL
);

-- The stock ledger. Every change of on_hand has an entry, so that for each
-- product on_hand = sum(quantity).
CREATE TABLE stock_ledger (
    id         TEXT PRIMARY KEY,
    product_id TEXT   NOT NULL REFERENCES products (id),
    order_id   TEXT, -- NULL unless the kind is reserve or release
    kind       TEXT   NOT NULL CHECK (kind IN ('initial', 'restock', 'reserve', 'release')),
    quantity   BIGINT NOT NULL, -- the change of on_hand
    at         BIGINT NOT NULL,
    UNIQUE (order_id, product_id, kind)
);

-- One row per order. A release without a reservation also adds a row, so that a
-- later reserve is rejected.
CREATE TABLE reservations (
    order_id TEXT PRIMARY KEY,
    state    TEXT   NOT NULL CHECK (state IN ('reserved', 'released')),
    lines    TEXT   NOT NULL, -- JSON, with the prices at the time of the reservation
    at       BIGINT NOT NULL
);

-- +goose Down
DROP TABLE reservations;
DROP TABLE stock_ledger;
DROP TABLE products;
