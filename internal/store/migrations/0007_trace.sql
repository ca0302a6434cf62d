-- What became of a message can be told; products of catalogs.

-- The seqs of the events that tell of the message, as varints, each the distance from the one before. Messages from before
-- have none.
ALTER TABLE message ADD COLUMN events BYTEA NOT NULL DEFAULT '';

-- What the endpoint's last failed attempt was answered.
ALTER TABLE delivery ADD COLUMN answer TEXT NOT NULL DEFAULT '';

-- price is in thousandths of the currency. Products lie open: they are what the business shows to everybody.
CREATE TABLE product (
    account_id BIGINT NOT NULL, catalog TEXT NOT NULL, retailer_id TEXT NOT NULL, name TEXT NOT NULL, price BIGINT NOT NULL,
    currency TEXT NOT NULL, image TEXT NOT NULL, availability TEXT NOT NULL, PRIMARY KEY (account_id, catalog, retailer_id));
