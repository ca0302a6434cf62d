// Package relayserver is the embedded network: accounts, a prekey directory, mailboxes of ciphertext and encrypted blobs,
// served over kabar-relay/1 (package relayproto holds the specification).
//
// It never holds a key that decrypts and never sees plaintext: package e2ee is not in its import graph, and a test says
// so. It does not verify prekeys or identities either; that is for the devices, who do not trust it.
//
// # Admission
//
// A relay admits by invite unless it is told to admit everybody (Admission). The rules are in admit.go, and each registration
// is decided and stored in one operation of the writer, so that two who race for one seat never both get it. What the
// operator does are methods of Server: Invite, Revoke, Invites, Codes, Accounts, Status. They work whether Run runs or not.
// An invite is kept as its SHA-256. A verification code is kept in clear until it is used, void, or an hour old, because the
// operator has to be shown it and a hash of six digits hides nothing.
//
// # Store
//
// relay.db (SQLite, its own group-commit writer) holds everything but the blobs, which are files beside it. An answer
// leaves after the commit of what it says. Requests of a connection that wait together are one operation of the writer;
// operations of all connections share a commit. After a crash everything acknowledged stays away and everything else
// comes again.
//
// # Concurrency and limits
//
// An idle connection has one goroutine and about 10 KiB of buffers. A connection that sends faster than the store commits
// is read more slowly (256 requests or 1 MiB wait at most), one that does not read is not read from. Every rate has a
// default and can be switched off (Limits). Memory does not depend on the size of mailboxes.
package relayserver
