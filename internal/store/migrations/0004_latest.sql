-- What changes with each message gets a table of its own.

-- The newest message of a conversation, and when its customer last wrote. The rows are short, so that a commit of many
-- messages changes few pages. A conversation that has no row here has had no message.
CREATE TABLE latest (
    conversation_id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL,
    last_message BIGINT NOT NULL, last_inbound BIGINT NOT NULL);
INSERT INTO latest (conversation_id, account_id, number_id, last_message, last_inbound)
    SELECT id, account_id, number_id, last_message, last_inbound FROM conversation;
ALTER TABLE conversation DROP COLUMN last_message;
ALTER TABLE conversation DROP COLUMN last_inbound;
