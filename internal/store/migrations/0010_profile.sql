-- What administrators of a number keep beside its settings: the picture of its profile, and sticker packs.

-- The picture as the API gives it back, sealed. The small one that customers get lies in number.profile.
CREATE TABLE photo (number_id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, body BYTEA NOT NULL, created BIGINT NOT NULL);

-- A pack with its stickers, sealed.
CREATE TABLE sticker_pack (id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL, number_id BIGINT NOT NULL, body BYTEA NOT NULL);
CREATE INDEX sticker_pack_number ON sticker_pack (number_id, id);
