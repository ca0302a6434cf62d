-- What is known of the business of an account: nothing yet, or what a review has found. Whoever is there already stays verified.
ALTER TABLE account ADD COLUMN verification TEXT NOT NULL DEFAULT 'verified';
ALTER TABLE account ADD COLUMN verified BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN note TEXT NOT NULL DEFAULT '';

-- When a message was last delivered to a customer who was reached outside the window; 0: never. Until here all were counted.
ALTER TABLE reached ADD COLUMN delivered BIGINT NOT NULL DEFAULT 0;
UPDATE reached SET delivered = at;
