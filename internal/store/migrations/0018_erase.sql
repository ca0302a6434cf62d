-- Erasing one person: what is under way and what is done, whose media, answers and charges are; how long accounts keep things.

-- pseudonym stands for the person in what stays. ended is 0 while the erasing is under way: body, sealed, says what there is to do.
CREATE TABLE erasure (
    account_id BIGINT NOT NULL, pseudonym TEXT NOT NULL, began BIGINT NOT NULL, ended BIGINT NOT NULL, body BYTEA NOT NULL,
    PRIMARY KEY (account_id, pseudonym));
CREATE INDEX erasure_open ON erasure (began) WHERE ended = 0;

-- The conversation that a medium is in; 0: in none, or it is from before this column; -1: in several.
ALTER TABLE media ADD COLUMN conversation_id BIGINT NOT NULL DEFAULT 0;

-- The conversation that the answer is about, under whose key it is sealed; 0: none, it is sealed under the number's.
ALTER TABLE idempotency ADD COLUMN conversation_id BIGINT NOT NULL DEFAULT 0;

-- Who the message of the entry went to, once that person has been erased: the pseudonym.
ALTER TABLE ledger ADD COLUMN customer TEXT NOT NULL DEFAULT '';

-- For how many days an account keeps things; 0: without end. A column that is -1 leaves it to the settings of the numbers.
CREATE TABLE retention (
    account_id BIGINT PRIMARY KEY, messages BIGINT NOT NULL, media BIGINT NOT NULL, events BIGINT NOT NULL, answers BIGINT NOT NULL);
