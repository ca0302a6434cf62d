-- Events that have failed in one request are tried again as they were.

-- batch is the seq of the first event of those that failed together; 0: the event was alone. body is then the event's part
-- of what was sent.
ALTER TABLE delivery ADD COLUMN batch BIGINT NOT NULL DEFAULT 0;
