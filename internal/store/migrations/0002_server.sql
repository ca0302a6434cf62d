-- Keys of an API that expire, are revoked and can be told apart; the invite with which a number registers at its relay.

-- expires, last_used and revoked are times, 0 for none. hint is how the key begins, for lists.
ALTER TABLE api_key ADD COLUMN expires BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_key ADD COLUMN last_used BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_key ADD COLUMN revoked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_key ADD COLUMN hint TEXT NOT NULL DEFAULT '';

-- Sealed under the number's key, or empty: the number needs none.
ALTER TABLE number ADD COLUMN invite BYTEA NOT NULL DEFAULT '';
