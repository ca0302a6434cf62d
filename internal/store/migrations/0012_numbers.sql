-- What a business keeps of its numbers through the Cloud API: whom it has blocked, QR codes, and files on their way in.

-- When the number has blocked the customer; 0: it does not.
ALTER TABLE conversation ADD COLUMN barred BIGINT NOT NULL DEFAULT 0;
CREATE INDEX conversation_barred ON conversation (number_id, id) WHERE barred > 0;

-- A QR code with the text that it puts into the customer's mouth, sealed.
CREATE TABLE qr_code (
    number_id BIGINT NOT NULL, code TEXT NOT NULL, account_id BIGINT NOT NULL, body BYTEA NOT NULL, created BIGINT NOT NULL,
    PRIMARY KEY (number_id, code));

-- A file that is uploaded in parts, and what is known of it, sealed: the media of the number that its bytes lie in among that.
CREATE TABLE upload_session (
    id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, body BYTEA NOT NULL, expires BIGINT NOT NULL);
CREATE INDEX upload_session_expires ON upload_session (expires);
