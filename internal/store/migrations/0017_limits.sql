-- Limits of numbers. What a number has sent to a customer of late; 0: nothing that counts.
ALTER TABLE latest ADD COLUMN pair_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE latest ADD COLUMN pair_until BIGINT NOT NULL DEFAULT 0;

-- When the number's away message was last sent to the customer; 0: never.
ALTER TABLE latest ADD COLUMN away BIGINT NOT NULL DEFAULT 0;

-- Customers who have blocked the number in the slot.
ALTER TABLE traffic ADD COLUMN blocked BIGINT NOT NULL DEFAULT 0;

-- How many customers of an account count against its tier: the rows of reached with counted.
CREATE TABLE reach (account_id BIGINT PRIMARY KEY, customers BIGINT NOT NULL);

-- When a customer was last reached outside the window, and by which number. counted: that is less than 24 hours ago.
CREATE TABLE reached (
    account_id BIGINT NOT NULL, handle TEXT NOT NULL, number_id BIGINT NOT NULL, at BIGINT NOT NULL, counted BIGINT NOT NULL,
    PRIMARY KEY (account_id, handle));
CREATE INDEX reached_at ON reached (account_id, counted, at);
