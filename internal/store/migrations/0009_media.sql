-- One file for equal bytes, media that go when nobody uses them, and providers of media.

-- used is when a medium was last sent or fetched.
ALTER TABLE media ADD COLUMN used BIGINT NOT NULL DEFAULT 0;
UPDATE media SET used = created;
CREATE INDEX media_used ON media (number_id, used);
CREATE INDEX media_by_file ON media (file);

-- The file in which all media of a number with the same bytes lie, and how many they are. Media from before this table have
-- files of their own.
CREATE TABLE media_file (
    number_id BIGINT NOT NULL, sha256 TEXT NOT NULL, account_id BIGINT NOT NULL, file TEXT NOT NULL, key BYTEA NOT NULL,
    uses BIGINT NOT NULL, PRIMARY KEY (number_id, sha256));

-- The credentials with which links to media are fetched: sealed.
CREATE TABLE media_provider (
    number_id BIGINT NOT NULL, name TEXT NOT NULL, account_id BIGINT NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (number_id, name));
