package relayserver

import "kabar/internal/sqlite"

// schema is what relay.db holds. Times are Unix milliseconds handed in by the caller.
var schema = []sqlite.Migration{{
	Purpose: "devices, mailboxes, prekeys, blobs",
	SQL: `
-- A device and what it logs in with. counter grows with each login and registration; confirmed is the highest one the
-- device is known to have stored. recovery is a SHA-256.
CREATE TABLE device (
	id INTEGER PRIMARY KEY,
	account TEXT NOT NULL,
	device INTEGER NOT NULL,
	class INTEGER NOT NULL,
	login_key BLOB NOT NULL,
	recovery BLOB,
	counter INTEGER NOT NULL DEFAULT 0,
	confirmed INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	UNIQUE (account, device)
) STRICT;

-- The counters of a mailbox, apart from device because they change with every envelope. waiting counts lane 0.
CREATE TABLE mailbox (
	device INTEGER PRIMARY KEY REFERENCES device (id),
	last_seq INTEGER NOT NULL DEFAULT 0,
	waiting INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Lane 0 holds envelopes for owner from peer, lane 1 notices to owner that its envelope to peer has expired.
CREATE TABLE entry (
	owner INTEGER NOT NULL,
	lane INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	peer INTEGER NOT NULL,
	msg_id BLOB NOT NULL,
	kind INTEGER NOT NULL,
	ciphertext BLOB,
	stored_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	PRIMARY KEY (owner, lane, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_expiry ON entry (expires_at);

-- Every envelope that was ever accepted, for as long as a sender may repeat it.
CREATE TABLE seen (
	owner INTEGER NOT NULL,
	peer INTEGER NOT NULL,
	msg_id BLOB NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (owner, peer, msg_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_until ON seen (until);

-- The directory. The ids of the two single keys and the top_ columns are the highest ever published; last_publish is the
-- SHA-256 of the last Publish, so that repeating it is harmless.
CREATE TABLE directory (
	device INTEGER PRIMARY KEY REFERENCES device (id),
	identity BLOB,
	signed_id INTEGER NOT NULL DEFAULT 0,
	signed BLOB,
	resort_id INTEGER NOT NULL DEFAULT 0,
	resort BLOB,
	top_one_time INTEGER NOT NULL DEFAULT 0,
	top_kem INTEGER NOT NULL DEFAULT 0,
	last_publish BLOB
) STRICT;

-- One-time keys that have not been served. kind: 0 X25519, 1 KEM.
CREATE TABLE prekey (
	device INTEGER NOT NULL REFERENCES device (id),
	kind INTEGER NOT NULL,
	id INTEGER NOT NULL,
	key BLOB NOT NULL,
	UNIQUE (device, kind, id)
) STRICT;

-- The pace of bundle fetches for each pair: the time at which the last one is paid for.
CREATE TABLE fetched (
	fetcher INTEGER NOT NULL,
	target INTEGER NOT NULL,
	paid_at INTEGER NOT NULL,
	PRIMARY KEY (fetcher, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX fetched_paid ON fetched (paid_at);

CREATE TABLE blob (
	id TEXT PRIMARY KEY,
	owner INTEGER NOT NULL,
	size INTEGER NOT NULL,
	sha256 BLOB NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_expiry ON blob (expires_at);
`,
}, {
	Purpose: "invites, verification codes, revoked accounts",
	SQL: `
-- What admits accounts. secret is the SHA-256 of its text. An invite of class business admits account, anybody when that is
-- NULL and the invite is new; one of class customer is bound to host, the SHA-256 of the secret of the program that used it
-- first. seats is how many accounts it admits at a time.
CREATE TABLE invite (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	secret BLOB NOT NULL UNIQUE,
	class INTEGER NOT NULL,
	account TEXT,
	host BLOB,
	seats INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	used_at INTEGER,
	revoked_at INTEGER
) STRICT;
CREATE INDEX invite_host ON invite (host) WHERE host IS NOT NULL;

-- A verification code, from its making until it is used or its hour is over. It is here in clear for the operator: a hash of
-- six digits would hide nothing. Once void it is empty.
CREATE TABLE code (
	invite INTEGER PRIMARY KEY REFERENCES invite (id),
	account TEXT NOT NULL,
	code TEXT NOT NULL,
	wrong INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX code_expiry ON code (expires_at);

-- invite is what admitted the account; NULL in open registration.
ALTER TABLE device ADD COLUMN invite INTEGER REFERENCES invite (id);
ALTER TABLE device ADD COLUMN last_login INTEGER;
ALTER TABLE device ADD COLUMN revoked_at INTEGER;
CREATE INDEX device_invite ON device (invite) WHERE invite IS NOT NULL;
`,
}}
