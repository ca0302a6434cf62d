-- Identities that must be acknowledged, and who was found on the network.

-- Since when the customer has the present identity, 0 for those that were met before this was kept; and whether the change to
-- it waits for the business's acknowledgement.
ALTER TABLE conversation ADD COLUMN identity_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN identity_pending BIGINT NOT NULL DEFAULT 0;

-- What the network has said of a handle when it was asked: known is 1 or 0. handle lies open and names somebody.
CREATE TABLE contact (
    number_id BIGINT NOT NULL, handle TEXT NOT NULL, account_id BIGINT NOT NULL, known BIGINT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (number_id, handle));
CREATE INDEX contact_at ON contact (at);
