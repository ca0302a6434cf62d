-- Broadcasts: one template to many customers, to each exactly one message.

-- body is sealed: what is sent, how fast, and who made it. start_at is when a scheduled one begins.
CREATE TABLE broadcast (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL,
    recipients BIGINT NOT NULL, created BIGINT NOT NULL, start_at BIGINT NOT NULL, ended BIGINT NOT NULL, body BYTEA NOT NULL);
CREATE INDEX broadcast_account ON broadcast (account_id, id);
CREATE INDEX broadcast_state ON broadcast (state, start_at);

-- The row of a recipient is the key under which the customer gets one message: it changes in the commit that accepts the message.
-- place is that in the list, from 1; failure says why there is no message; body is what is filled in, sealed.
CREATE TABLE broadcast_recipient (
    broadcast_id BIGINT NOT NULL, place BIGINT NOT NULL, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, handle TEXT NOT NULL,
    message_id BIGINT NOT NULL, failure TEXT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (broadcast_id, place));
