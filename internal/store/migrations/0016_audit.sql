-- Roles of keys.

-- What a key may do by a name; empty: what its scopes say.
ALTER TABLE api_key ADD COLUMN role TEXT NOT NULL DEFAULT '';
