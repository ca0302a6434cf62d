-- A customer who changes number keeps the conversation, and the ids of its messages keep the digits that they had first.
ALTER TABLE conversation ADD COLUMN former TEXT NOT NULL DEFAULT '';
