-- +goose Up
-- The key is what makes a parcel go out once, however often its event comes.
CREATE TABLE shipments (
    order_id    TEXT PRIMARY KEY,
    tracking_id TEXT   NOT NULL,
    shipped_at  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE shipments;
