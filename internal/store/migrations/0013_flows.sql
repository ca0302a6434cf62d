-- The flows of accounts, and what has become of messages, half an hour and country at a time.

-- A flow's id is the one that the Graph API calls it by. body is JSON: what the account has made is no secret of its customers.
CREATE TABLE flow (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX flow_name ON flow (account_id, name);

-- slot counts half hours since 1970. class is what the messages are priced as, or what they are otherwise. opened are conversations
-- that began with one of them.
CREATE TABLE traffic (
    number_id BIGINT NOT NULL, slot BIGINT NOT NULL, country TEXT NOT NULL, class TEXT NOT NULL, account_id BIGINT NOT NULL,
    sent BIGINT NOT NULL, delivered BIGINT NOT NULL, read BIGINT NOT NULL, received BIGINT NOT NULL, opened BIGINT NOT NULL,
    PRIMARY KEY (number_id, slot, country, class));
