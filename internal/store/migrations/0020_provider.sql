-- What a provider sees: whose accounts are a client's, what was delivered free, and what the rest has cost.
ALTER TABLE account ADD COLUMN client BIGINT NOT NULL DEFAULT 0;

ALTER TABLE traffic ADD COLUMN free_window BIGINT NOT NULL DEFAULT 0;
ALTER TABLE traffic ADD COLUMN free_entry BIGINT NOT NULL DEFAULT 0;
ALTER TABLE traffic ADD COLUMN cost BIGINT NOT NULL DEFAULT 0;
UPDATE traffic SET free_window = delivered WHERE class = 'service';

-- Erasing a customer, and exporting what is held of them, asks in which broadcasts they are.
CREATE INDEX broadcast_recipient_handle ON broadcast_recipient (account_id, handle);
