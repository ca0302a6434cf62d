-- Roles of keys, and an audit log that shows whether somebody has changed it.

-- What a key may do by a name; empty: what its scopes say.
ALTER TABLE api_key ADD COLUMN role TEXT NOT NULL DEFAULT '';

-- The audit log becomes a chain: seq counts its entries, mac holds each to the one before. The server takes the entries that there
-- are into the chain when it starts. source is where a request came from, result what became of it.
ALTER TABLE audit ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN result TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN mac BYTEA NOT NULL DEFAULT '';
CREATE INDEX audit_seq ON audit (seq);
CREATE INDEX audit_account ON audit (account_id, seq);

-- How often sign-ins of a name or from an address have failed, until when that counts.
CREATE TABLE throttle (name TEXT PRIMARY KEY, failures BIGINT NOT NULL, at BIGINT NOT NULL, ends BIGINT NOT NULL);
CREATE INDEX throttle_ends ON throttle (ends);
