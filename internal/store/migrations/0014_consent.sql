-- Windows and consent of customers.

-- When the customer last wrote by way of an ad, and when the entry point ends that a reply to that has opened; 0: neither.
ALTER TABLE conversation ADD COLUMN ad_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN entry_point BIGINT NOT NULL DEFAULT 0;
