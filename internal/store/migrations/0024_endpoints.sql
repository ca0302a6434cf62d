-- Endpoints as something to be managed: several rows may be one endpoint, which reads all numbers of an account; a removed one is cleared
-- away in steps.
ALTER TABLE endpoint ADD COLUMN group_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN wide BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoint ADD COLUMN gone BIGINT NOT NULL DEFAULT 0;
-- Since when it takes nothing; 0: it does.
ALTER TABLE endpoint ADD COLUMN failing BIGINT NOT NULL DEFAULT 0;
CREATE INDEX endpoint_account ON endpoint (account_id, id);

-- What an endpoint has taken: the events that were finished in one commit, packed; low and high bound their seqs.
CREATE TABLE delivery_log (
    endpoint_id BIGINT NOT NULL, high BIGINT NOT NULL, id BIGINT NOT NULL, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL,
    low BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (endpoint_id, high, id)) WITHOUT ROWID;

-- A failed attempt to deliver an event, in full.
CREATE TABLE attempt (
    endpoint_id BIGINT NOT NULL, seq BIGINT NOT NULL, n BIGINT NOT NULL, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL, at BIGINT NOT NULL, ms BIGINT NOT NULL, status BIGINT NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (endpoint_id, seq, n));

-- An event that retention has taken before an endpoint had it.
CREATE TABLE expired (
    endpoint_id BIGINT NOT NULL, seq BIGINT NOT NULL, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, kind TEXT NOT NULL,
    at BIGINT NOT NULL, gone BIGINT NOT NULL, PRIMARY KEY (endpoint_id, seq));

-- Events that an endpoint is told of once more: a reader of its own, from above mark up to until.
CREATE TABLE replay (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, endpoint_id BIGINT NOT NULL, since BIGINT NOT NULL,
    until BIGINT NOT NULL, mark BIGINT NOT NULL, state TEXT NOT NULL, created BIGINT NOT NULL, ended BIGINT NOT NULL);
CREATE INDEX replay_number ON replay (number_id, id);
