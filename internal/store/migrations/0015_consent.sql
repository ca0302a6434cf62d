-- Windows and consent of customers.

-- When the customer last wrote by way of an ad, and when the entry point ends that a reply to that has opened; 0: neither.
ALTER TABLE conversation ADD COLUMN ad_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN entry_point BIGINT NOT NULL DEFAULT 0;

-- Where the ledger of consent has led for a customer of an account, and how much marketing went out since span. own: the customer
-- said so in the chat.
CREATE TABLE consent (
    account_id BIGINT NOT NULL, handle TEXT NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL, own BIGINT NOT NULL,
    span BIGINT NOT NULL, marketed BIGINT NOT NULL, PRIMARY KEY (account_id, handle));

-- The ledger: an entry is never changed. body is sealed: a proof may say anything about a person.
CREATE TABLE consent_entry (id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, handle TEXT NOT NULL, body BYTEA NOT NULL);
CREATE INDEX consent_entry_customer ON consent_entry (account_id, handle, id);
