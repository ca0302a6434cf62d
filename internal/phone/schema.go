package phone

import "kabar/internal/sqlite"

// Kinds of prekeys.
const (
	keySigned     = 1
	keyLastResort = 2
	keyKEM        = 3 // one-time
	keyOneTime    = 4
)

// States of a row in the outbox.
const (
	rowQueued = 0 // a payload, to be encrypted when its turn comes
	rowSealed = 1 // a ciphertext, which leaves as it is however often it is sent
	rowSent   = 2 // the relay has it; the payload stays for a retry request
)

// States of a medium.
const (
	mediaAbsent = 0 // to be fetched from the relay
	mediaHere   = 1
	mediaFailed = 2 // given up
)

// schema is the history of phone.db. Times are milliseconds since 1970 unless a comment says otherwise.
var schema = []sqlite.Migration{{
	Purpose: "customers, their keys, chats and messages",
	SQL: `
CREATE TABLE customers (
	id            INTEGER PRIMARY KEY AUTOINCREMENT,
	handle        TEXT    NOT NULL UNIQUE, -- wa_id, or BSUID when hidden: the account at the relay
	hidden        INTEGER NOT NULL,
	name          TEXT    NOT NULL,
	online        INTEGER NOT NULL,
	read_receipts INTEGER NOT NULL,
	auto_read     INTEGER NOT NULL,
	auto_reply    INTEGER NOT NULL,
	identity      BLOB    NOT NULL, -- secret
	old_identity  BLOB,             -- the one the relay still knows, until the new one is registered
	recovery      BLOB    NOT NULL, -- secret: lets the account get a new identity
	login         INTEGER NOT NULL, -- the relay's counter at the last login
	next_key      INTEGER NOT NULL  -- id of the next prekey; never goes back
);
CREATE TABLE prekeys (
	customer  INTEGER NOT NULL REFERENCES customers,
	id        INTEGER NOT NULL,
	kind      INTEGER NOT NULL,
	created   INTEGER NOT NULL,
	key       BLOB    NOT NULL, -- secret
	public    BLOB,             -- the public half, until it is in the directory
	PRIMARY KEY (customer, id)
) WITHOUT ROWID;
CREATE TABLE chats (
	customer INTEGER NOT NULL REFERENCES customers,
	business TEXT    NOT NULL,           -- digits
	peer     BLOB,                       -- sessions; NULL: never heard of, or lost
	opened   INTEGER NOT NULL DEFAULT 0, -- when we last opened a session
	profile  TEXT    NOT NULL DEFAULT '',
	blocked  INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (customer, business)
) WITHOUT ROWID;
CREATE TABLE messages (
	seq       INTEGER PRIMARY KEY AUTOINCREMENT,
	customer  INTEGER NOT NULL REFERENCES customers,
	business  TEXT    NOT NULL,
	wire      TEXT    NOT NULL, -- id inside the encryption
	mine      INTEGER NOT NULL, -- written by the customer
	at        INTEGER NOT NULL, -- by the sender's clock
	kind      TEXT    NOT NULL,
	content   BLOB    NOT NULL, -- as kabar.EncodeContent writes it
	medium    INTEGER REFERENCES media,
	reply_to  TEXT    NOT NULL, -- wire ids
	target    TEXT    NOT NULL,
	forwarded INTEGER NOT NULL, -- 1, or 2 for frequently
	referral  TEXT    NOT NULL,
	status    INTEGER NOT NULL,
	deleted   INTEGER NOT NULL DEFAULT 0,
	failure   TEXT    NOT NULL DEFAULT '',
	emoji     TEXT    NOT NULL DEFAULT '', -- the customer's reaction on it
	their     TEXT    NOT NULL DEFAULT ''  -- the business's
);
CREATE UNIQUE INDEX messages_wire ON messages (customer, wire, business);
CREATE INDEX messages_chat ON messages (customer, seq);
CREATE INDEX messages_medium ON messages (medium) WHERE medium IS NOT NULL;
CREATE INDEX messages_unread ON messages (customer, business, seq) WHERE status = 0;
CREATE TABLE media (
	key      INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT    NOT NULL UNIQUE, -- for the API
	customer INTEGER NOT NULL REFERENCES customers,
	state    INTEGER NOT NULL,
	file     TEXT    NOT NULL, -- in the media folder
	mime     TEXT    NOT NULL,
	filename TEXT    NOT NULL,
	size     INTEGER NOT NULL,
	sha256   TEXT    NOT NULL,
	locator  TEXT    NOT NULL, -- payload.Medium: where the blob is; secret
	uploaded INTEGER NOT NULL, -- when it was put there
	failure  TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX media_absent ON media (customer, key) WHERE state = 0;
CREATE TABLE outbox (
	id         INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which things leave
	customer   INTEGER NOT NULL REFERENCES customers,
	business   TEXT    NOT NULL,
	msg_id     BLOB    NOT NULL, -- of the envelope
	state      INTEGER NOT NULL,
	payload    BLOB    NOT NULL,
	ciphertext BLOB,
	message    TEXT    NOT NULL, -- wire id of the message it carries; empty: something else
	medium     INTEGER REFERENCES media,
	attempts   INTEGER NOT NULL DEFAULT 0, -- how often the business asked for it again
	at         INTEGER NOT NULL
);
CREATE INDEX outbox_due ON outbox (customer, business, id) WHERE state < 2;
CREATE UNIQUE INDEX outbox_envelope ON outbox (customer, msg_id);
CREATE INDEX outbox_message ON outbox (customer, message) WHERE message != '';
CREATE INDEX outbox_age ON outbox (at);
CREATE TABLE seen (
	customer INTEGER NOT NULL REFERENCES customers,
	sender   TEXT    NOT NULL,
	msg_id   BLOB    NOT NULL,
	at       INTEGER NOT NULL,
	PRIMARY KEY (customer, sender, msg_id)
) WITHOUT ROWID;
CREATE INDEX seen_age ON seen (at);
CREATE TABLE dead (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	customer   INTEGER NOT NULL REFERENCES customers,
	sender     TEXT    NOT NULL,
	msg_id     BLOB    NOT NULL,
	ciphertext BLOB    NOT NULL,
	reason     TEXT    NOT NULL,
	at         INTEGER NOT NULL
);
CREATE INDEX dead_customer ON dead (customer, id);
`,
}, {
	Purpose: "the secret by which a relay knows this program",
	SQL: `
CREATE TABLE host (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	secret BLOB    NOT NULL -- an invite of a private relay is bound to it
);
`,
}, {
	Purpose: "customers whose keys in the directory may be lost",
	SQL: `
ALTER TABLE customers ADD COLUMN set_back INTEGER NOT NULL DEFAULT 0; -- until all keys in the directory have been replaced
`,
}, {
	Purpose: "customers who change number, and messages about products",
	SQL: `
ALTER TABLE customers ADD COLUMN former TEXT NOT NULL DEFAULT ''; -- the first number, when it has changed: ids of messages name it
ALTER TABLE chats ADD COLUMN was TEXT NOT NULL DEFAULT ''; -- the number that the business knows, until it has answered to the new one
ALTER TABLE messages ADD COLUMN product TEXT NOT NULL DEFAULT '';
`,
}, {
	Purpose: "flows that ask the business's server",
	SQL: `
ALTER TABLE messages ADD COLUMN flow TEXT NOT NULL DEFAULT ''; -- flowState: how far the customer has come
`,
}, {
	Purpose: "media on the cards of a carousel",
	SQL: `
ALTER TABLE media ADD COLUMN card_of INTEGER REFERENCES messages; -- whose content says on which card it is; NULL: messages.medium names it
CREATE INDEX media_card ON media (card_of) WHERE card_of IS NOT NULL;
`,
}}
