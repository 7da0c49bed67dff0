-- +goose Up
-- The primary key makes sure that an order is shipped once, however often its
-- event arrives.
CREATE TABLE shipments (
    order_id    TEXT PRIMARY KEY,
    tracking_id TEXT   NOT NULL,
    shipped_at  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE shipments;
