-- For how many days broadcasts are kept after they have ended; -1: as long as messages.
ALTER TABLE retention ADD COLUMN broadcasts BIGINT NOT NULL DEFAULT -1;
