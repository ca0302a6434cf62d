-- Whether an account is a client's of whoever runs the server, or their own.
ALTER TABLE account ADD COLUMN client BIGINT NOT NULL DEFAULT 0;
