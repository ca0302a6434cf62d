// Package relayserver is the embedded network: accounts, a prekey directory, mailboxes of ciphertext and encrypted blobs,
// served over kabar-relay/1 (package relayproto holds the specification).
//
// It never holds a key that decrypts and never sees plaintext: package e2ee is not in its import graph, and a test says
// so. It does not verify prekeys or identities either; that is for the devices, who do not trust it.
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
