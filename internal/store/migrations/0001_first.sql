-- The first schema: accounts, numbers, users, conversations, messages, jobs, events, endpoints, media, driver state.
-- Times are milliseconds since 1970, handed in by the caller. For SQLite "BIGINT PRIMARY KEY" is read as "INTEGER PRIMARY KEY".
--
-- Columns of the type BYTEA are sealed, or are wrapped keys; only meta's row "probe" is a plain time. All others lie open,
-- and these of them name or describe somebody: account.name, api_user.name, number.digits, the columns wa_id, bsuid and
-- identity of conversation, handle.handle, driver_state.name, api_key.label, and all of template.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BYTEA NOT NULL);

-- Counters: "key" gives the keys of all rows, "seq/<number>" the events of a number.
CREATE TABLE counter (name TEXT PRIMARY KEY, next BIGINT NOT NULL);

CREATE TABLE account (id BIGINT PRIMARY KEY, name TEXT NOT NULL, created BIGINT NOT NULL);

-- fence will be raised by the owner of the number, once several nodes are built; it is not used yet and is always 0.
CREATE TABLE number (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, digits TEXT NOT NULL UNIQUE, key BYTEA NOT NULL,
    profile BYTEA NOT NULL, profile_version BIGINT NOT NULL, settings BYTEA NOT NULL, fence BIGINT NOT NULL, created BIGINT NOT NULL);

CREATE TABLE api_user (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL, hash TEXT NOT NULL, must_change BIGINT NOT NULL, created BIGINT NOT NULL);

-- A session of a /v1 user: the claim wa:rand of its token names the row.
CREATE TABLE login (
    id TEXT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, user_id BIGINT NOT NULL, expires BIGINT NOT NULL);
CREATE INDEX login_user ON login (user_id);
CREATE INDEX login_expires ON login (expires);

-- A key of /kabar/v1: id is the SHA-256 of the secret; number_id 0 means all numbers of the account, account_id 0 all accounts.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, scopes TEXT NOT NULL, label TEXT NOT NULL,
    created BIGINT NOT NULL);

CREATE TABLE conversation (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, wa_id TEXT NOT NULL, bsuid TEXT NOT NULL,
    name BYTEA NOT NULL, key BYTEA NOT NULL, last_message BIGINT NOT NULL, last_inbound BIGINT NOT NULL, blocked BIGINT NOT NULL,
    billing_id BIGINT NOT NULL, billing_category TEXT NOT NULL, billing_expires BIGINT NOT NULL,
    profile_sent BIGINT NOT NULL, identity TEXT NOT NULL);

-- What a customer is called (wa_id, BSUID) leads to the conversation; a customer may have several.
CREATE TABLE handle (
    number_id BIGINT NOT NULL, handle TEXT NOT NULL, account_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL,
    PRIMARY KEY (number_id, handle));

-- No index but the growing key: history walks conversation.last_message and prev.
CREATE TABLE message (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL,
    prev BIGINT NOT NULL, direction BIGINT NOT NULL, status BIGINT NOT NULL, body BYTEA NOT NULL,
    at BIGINT NOT NULL, expires BIGINT NOT NULL, failure TEXT NOT NULL, attempts BIGINT NOT NULL);

-- Work to do: packets to prepare and transmit, media to fetch. Rows live for moments.
CREATE TABLE job (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL,
    kind TEXT NOT NULL, message_id BIGINT NOT NULL, packed BIGINT NOT NULL, tries BIGINT NOT NULL, due BIGINT NOT NULL,
    body BYTEA NOT NULL);
CREATE INDEX job_lane ON job (conversation_id, id);

CREATE TABLE event (
    number_id BIGINT NOT NULL, seq BIGINT NOT NULL, account_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL,
    kind TEXT NOT NULL, at BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (number_id, seq));

-- A reader of a number's event log: every event up to mark is finished.
CREATE TABLE endpoint (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, dialect TEXT NOT NULL, body BYTEA NOT NULL,
    mark BIGINT NOT NULL, created BIGINT NOT NULL);
CREATE INDEX endpoint_number ON endpoint (number_id, id);

-- What an endpoint remembers of an event above its mark (finished) or of one that failed: attempts, the exact bytes of the
-- first failed attempt, and whether the customer is parked.
CREATE TABLE delivery (
    endpoint_id BIGINT NOT NULL, seq BIGINT NOT NULL, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL, state BIGINT NOT NULL, attempts BIGINT NOT NULL, due BIGINT NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (endpoint_id, seq));
CREATE INDEX delivery_parked ON delivery (endpoint_id, state, conversation_id, seq);

CREATE TABLE media (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, mime TEXT NOT NULL, size BIGINT NOT NULL,
    sha256 TEXT NOT NULL, file TEXT NOT NULL, key BYTEA NOT NULL, name BYTEA NOT NULL, created BIGINT NOT NULL);

-- Where on the network the encrypted form of a medium lies, so that one sent to many goes up once.
CREATE TABLE upload (
    number_id BIGINT NOT NULL, sha256 TEXT NOT NULL, account_id BIGINT NOT NULL, body BYTEA NOT NULL, expires BIGINT NOT NULL,
    PRIMARY KEY (number_id, sha256));
CREATE INDEX upload_expires ON upload (expires);

CREATE TABLE driver_state (
    number_id BIGINT NOT NULL, name TEXT NOT NULL, account_id BIGINT NOT NULL, version BIGINT NOT NULL, value BYTEA NOT NULL,
    PRIMARY KEY (number_id, name));

-- The network's ids of what came in: deduplication, and the way from a quoted message to its key.
CREATE TABLE inbound_ref (
    number_id BIGINT NOT NULL, ref TEXT NOT NULL, account_id BIGINT NOT NULL, message_id BIGINT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (number_id, ref));
CREATE INDEX inbound_ref_at ON inbound_ref (at);

-- An idempotency key and the answer it got; the number, the path and the key together are unique.
CREATE TABLE idempotency (
    number_id BIGINT NOT NULL, path TEXT NOT NULL, key TEXT NOT NULL, account_id BIGINT NOT NULL, hash TEXT NOT NULL,
    status BIGINT NOT NULL, answer BYTEA NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (number_id, path, key));
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE template (
    account_id BIGINT NOT NULL, name TEXT NOT NULL, language TEXT NOT NULL, category TEXT NOT NULL,
    status TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account_id, name, language));
