// Package relayproto is kabar-relay/1, the protocol between devices and the relay: its frames (relay.proto), their limits,
// the bytes that are signed, and a connection that carries them. This comment is the specification.
//
// The package holds no key, encrypts nothing and knows no rule beyond the shape of frames: the relay's rules are in
// relayserver, a device's in relayclient.
//
// # Transport
//
// A device opens one WebSocket (RFC 6455) to /v1/connect, without compression. Each message is binary and holds one Frame
// in the protobuf encoding, at most MaxFrame bytes. A frame that cannot be decoded or lacks what it needs (Decode) ends
// the connection with Closing PROTOCOL. A request carries an id that the device chooses; its answer repeats the id, and
// answers may come in any order. Requests of one connection are executed in the order they came in.
//
// # Login
//
//	relay   Hello{protocol, relay, nonce}
//	device  Login{address, signature over LoginChallenge}
//	relay   LoginOK{counter, previous, prekeys}            or Refused UNKNOWN_DEVICE, WRONG_KEY
//	device  Confirm{counter}
//	relay   Done, and from now on deliveries
//
// A device's key is Ed25519. What is signed begins with its purpose and holds the relay's name, the connection's nonce and
// the address, so a signature serves for one purpose, one relay, one connection and one device. All of it must happen
// within LoginWithin. A later login of the same device replaces the connection: the older one gets Closing REPLACED.
//
// The relay raises the device's counter at each login and has it on disk before it answers. The device stores the counter
// and confirms that. previous is the highest counter ever confirmed: a device whose own store holds a lower one has been
// restored from a backup or has lost a commit, and must start its sessions afresh. A lost LoginOK raises no false alarm,
// because the counter in it was never confirmed.
//
// Register binds an address to a key, before Login on the same connection: signed with that key (RegisterChallenge). A relay
// with open registration admits everybody, any other by invite (next section). Registering the same key again is Done.
// Another key replaces the registered one only with the recovery secret given at the first registration, or with a signature
// of the old key (ReplaceChallenge), and needs no invite. The new key finds the mailbox as it was; the prekeys are gone,
// since nobody has their private halves any more; the counter is raised, nothing counts as confirmed, and prekey ids may
// start anew. The old key's connection gets Closing REREGISTERED. An account has one device, number 1, in this version.
//
// # Invites
//
// The relay's operator makes invites. Each is for one class, is used once, expires unused, and can be revoked.
//
// An invite for a business admits one number. The first Register with it makes a verification code of six digits, which the
// relay shows to its operator and to nobody else, reserves the invite for the account while the code lives, and is refused
// with VERIFY; repeating it changes nothing. Register with the code makes the account. A wrong code is refused with
// WRONG_CODE and what attempts_left says. After five the code is void, also for who knows it. One hour after it was made a
// code is gone, used or void: the next Register makes a new one, so nobody guesses faster than five times an hour.
//
// An invite for a host admits one program with many customers. That program sends a secret of its own, host, with every
// Register of a customer. The first one binds the invite to it; from then on the secret alone admits customers, as many at a
// time as the invite says, and another program is refused. A program may bind another invite when it needs more.
//
// The operator can revoke an account. Its connection gets Closing REVOKED, its Login and Register are refused with REVOKED,
// its keys leave the directory, what waits in its mailbox expires, and it is unknown to Lookup, Fetch and Send. Only an
// invite that was made after that brings it back, as a new account: with any key, its mailbox empty.
//
// # Envelopes
//
// Send is answered by Done when the envelope is in the recipient's mailbox, on disk. The sender chooses a random message
// id and repeats it with every repetition: a mailbox takes (sender, message id) once and answers Done each time, for 30
// days, also after the envelope was delivered. The kind and the ciphertext (at most MaxCiphertext) are opaque.
//
// Deliver carries envelopes in the order in which the mailbox took them. Ack names what the recipient has stored; the
// relay then deletes the ciphertext and keeps the message id. What is not acknowledged is delivered again, in order, after
// the next login. The relay stops sending when CreditFrames or CreditBytes are out, and goes on with each Ack. An Ack of
// a seq that is not out on this connection is ignored.
//
// An envelope that is not acknowledged before expires_at is removed, and its sender gets Expired, which is kept,
// delivered and acknowledged like an envelope but does not count against the window and the size of the mailbox.
//
// Signal is handed to a connected recipient and otherwise dropped; it is never stored and never answered.
//
// # Prekeys
//
// Publish stores an identity, a signed prekey, a last-resort KEM key and one-time keys of two kinds, all opaque. Ids of a
// kind must rise: an id at or below the highest one ever published is refused with PREKEY_ID_REUSED, and then nothing of
// the Publish is stored. Repeating the last Publish exactly is Done. Fetch serves identity, signed prekey, one one-time
// key and one KEM key, and removes these two in the same transaction; when the KEM keys have run out the last-resort key
// takes their place. The owner gets PrekeysLow when fewer than ten of a kind are left; LoginOK says how many there are.
//
// A Publish with replace removes the one-time keys published before, in the same transaction: so does a device whose store
// has been set back, because it has lost the private halves of some. LoginOK names the highest id ever published: a device
// that gives its prekeys of all kinds rising ids out of one counter, and has not given out that one, has been set back.
// A relay that knows neither field ignores the one and leaves out the other: it serves the older keys first, and whoever
// gets one whose private half is lost is asked again, until they are used up.
//
// # Blobs
//
// What is larger than an envelope is encrypted by the sender and uploaded. AskTicket names size and SHA-256; the Ticket
// holds the blob's id and a token, good for ten minutes, that allows exactly these bytes under exactly this id:
//
//	PUT /v1/blobs        Authorization: Bearer <token>     201, when the bytes are verified and on disk; 401; 422; 507
//	GET /v1/blobs/{id}   Range as in RFC 9110              200 or 206; 404 when unknown or older than 30 days
//
// The ticket is asked for over the authenticated connection, where the limits are; nothing is stored for it, and an upload
// that is repeated stores the same bytes again. Whoever knows an id, 256 random bits, may download: ids travel inside
// ciphertexts only.
//
// # Limits and life
//
// Refused LIMITED, OVERLOADED and MAILBOX_FULL carry retry_after_ms; the request has had no effect. The relay sends Ping
// every PingEvery, which the device answers with Pong, and hangs up with SILENT after SilentAfter without a frame. A relay
// that stops says SHUTDOWN.
//
// # What the relay learns
//
// Accounts, who writes to whom and when, sizes, addresses of the network, presence. Not: contents, names, receipts, kinds
// of messages, media.
package relayproto

//go:generate protoc --go_out=. --go_opt=paths=source_relative relay.proto
