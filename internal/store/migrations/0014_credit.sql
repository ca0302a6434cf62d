-- What accounts are billed in, their line of credit, and the ledger, which only grows.
ALTER TABLE account ADD COLUMN currency TEXT NOT NULL DEFAULT 'USD';
ALTER TABLE account ADD COLUMN timezone TEXT NOT NULL DEFAULT 'UTC';

-- An account without a row here has no line: what its messages cost is written down, and refuses none.
CREATE TABLE credit (
    account_id BIGINT PRIMARY KEY, drawn BIGINT NOT NULL, amount BIGINT NOT NULL, reserved BIGINT NOT NULL, spent BIGINT NOT NULL,
    warned BIGINT NOT NULL);

CREATE TABLE ledger (
    account_id BIGINT NOT NULL, id BIGINT NOT NULL, number_id BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL,
    amount BIGINT NOT NULL, currency TEXT NOT NULL, message_id BIGINT NOT NULL, rate TEXT NOT NULL, PRIMARY KEY (account_id, id));

-- How many messages of a category a number has had in a month, for those that are free.
CREATE TABLE rate_use (
    number_id BIGINT NOT NULL, name TEXT NOT NULL, account_id BIGINT NOT NULL, used BIGINT NOT NULL, PRIMARY KEY (number_id, name));

CREATE TABLE rate_card (name TEXT PRIMARY KEY, body TEXT NOT NULL, imported BIGINT NOT NULL);

-- The entry of the ledger that reserves what a message costs; 0: it costs nothing.
ALTER TABLE message ADD COLUMN charge BIGINT NOT NULL DEFAULT 0;
