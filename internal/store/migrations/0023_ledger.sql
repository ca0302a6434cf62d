-- The ledger is one tree on SQLite instead of two: an entry is written for each message that costs.
CREATE TABLE ledger_again (
    account_id BIGINT NOT NULL, id BIGINT NOT NULL, number_id BIGINT NOT NULL, at BIGINT NOT NULL, kind TEXT NOT NULL,
    amount BIGINT NOT NULL, currency TEXT NOT NULL, message_id BIGINT NOT NULL, rate TEXT NOT NULL, customer TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (account_id, id)) WITHOUT ROWID;
INSERT INTO ledger_again (account_id, id, number_id, at, kind, amount, currency, message_id, rate, customer)
    SELECT account_id, id, number_id, at, kind, amount, currency, message_id, rate, customer FROM ledger;
DROP TABLE ledger;
ALTER TABLE ledger_again RENAME TO ledger;
