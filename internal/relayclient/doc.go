// Package relayclient is a device's side of kabar-relay/1 (package relayproto): it registers, logs in, sends, receives,
// publishes and fetches prekeys, looks accounts up and moves blobs. The business's driver and the phone use it.
//
// It holds no private key (the caller signs), encrypts nothing and stores nothing: what is in flight when a connection
// ends is the caller's to repeat, and envelopes repeat harmlessly. It does not reconnect by itself; Keep does.
//
// Concurrency: a Conn has one goroutine, its reader, started by Dial and ended by Close, and another one while frames are
// being written. Requests are pipelined: any number are in flight, answers are matched by id. Every request ends with
// its context, its answer or the connection, whichever is first; a connection on which nothing is heard for 75 seconds
// (the relay pings every 25) ends with ErrSilent. A hostile relay can waste at most about 70 MB here: 256 frames.
package relayclient
