-- The jobs of a conversation are a chain, not an index.

-- prev is the job before this one in the lane of the conversation, which may be done; 0 when there was none. last_job is where
-- the lane ends. Fetches have no place in it. An index would be the only one that each message writes to at random.
ALTER TABLE job ADD COLUMN prev BIGINT NOT NULL DEFAULT 0;
ALTER TABLE latest ADD COLUMN last_job BIGINT NOT NULL DEFAULT 0;
INSERT INTO latest (conversation_id, account_id, number_id, last_message, last_inbound)
    SELECT DISTINCT conversation_id, account_id, number_id, 0, 0 FROM job
    WHERE kind <> 'fetch' AND conversation_id NOT IN (SELECT conversation_id FROM latest);
UPDATE job SET prev = coalesce((SELECT max(p.id) FROM job p
    WHERE p.conversation_id = job.conversation_id AND p.id < job.id AND p.kind <> 'fetch'), 0) WHERE kind <> 'fetch';
UPDATE latest SET last_job = coalesce((SELECT max(j.id) FROM job j
    WHERE j.conversation_id = latest.conversation_id AND j.kind <> 'fetch'), 0);
DROP INDEX job_lane;
