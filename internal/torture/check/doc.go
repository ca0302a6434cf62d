// Command check judges the history of a crash test:
//
//	go run ./internal/torture/check [--json] DIR
//
// It prints a line for every broken promise: the name of the rule, what is wrong, and the records concerned, each with its file,
// time and operation. The last line is the summary. The exit status is 1 when anything is broken, and 2 when the history cannot
// be read or has no end. It believes nothing but what was seen from outside: package history says what a recorder writes.
//
// # What is judged
//
//   - loss: what was answered 2xx is shown by the customer's phone, or the sink has taken that it failed; what a phone accepted
//     from its customer was told to the sink, and taken. gone: the same, when nothing of the customer's waits at the relay any
//     more: the server has acknowledged it, and it never came.
//   - upload: an acknowledged upload can be used, and arrives as it was.
//   - invention: whatever is shown or told was asked for or said, there and so. A status about an id that nobody was told
//     belongs to a question without an answer, and to each of those belongs one id at most.
//   - once: a phone shows a message once; a webhook has one body in all attempts; an event is told under one webhook-id.
//   - idempotency: a key has one id, one answer and one message; an id has one key.
//   - order: a phone shows what one client asked for one after another in this order; the sink is told what a customer said,
//     and what was sent to one, in this order, each when the one before has been taken.
//   - status: forward only, and nothing behind failed.
//   - keys: no ratchet key and number for two ciphertexts, no one-time key for two sessions or two bundles. resend: an
//     envelope's id stands for one ciphertext.
//   - window: nothing free-form leaves for a customer who never wrote; it fails with 470, and only then.
//   - accounting: at rest, accepted = delivered + failed, and what was told of a message agrees with what its phone shows.
//   - money, at rest: limit = available + reserved + spent, and the ledger comes to each of them; what was delivered is paid at its
//     price, what failed costs nothing, nobody pays twice or for what was never asked for; the limit is the last that was set.
//   - replay, at rest: what an endpoint had taken when it was asked to be told again of what has happened since a time is told again, and
//     taken. It comes under the id and with the bytes it had (once), a customer's in the order of the log (order), and nothing comes
//     that way before somebody has asked (invention), or without being told as it happens, too (loss).
//   - relay: what is stored reaches its recipient, unchanged, and nothing else does.
//
// What is told is judged of every endpoint of the number. One that is told in the dialect kabar shows each event's place in the number's
// log: it is told every event there is, of whatever kind, under one id, a customer's each when the one before has been taken.
//
// What stands at the sink as answered 2xx counts as taken; a connection that was cut does not, unless the answer may have
// been out. Loss and accounting are judged only of a history with an end, a record quiet.
//
// # What is excused
//
// When a store was replaced by an older copy, what was under way at any time between copy and replacement is judged for the use
// of keys and for being shown twice only. A message is under way from its first attempt until the sink has taken the last status
// there is; what a customer said, until the sink has taken it. A key that was asked for on both sides of the replacement may
// have made a message on each: these differ by their ids. See restored.go.
//
// A message that the phone could not read is encrypted again, and may arrive behind what was sent meanwhile: the wire shows
// it in two envelopes, which both begin with the message's own id. What a customer said may be told behind what was said
// later if it is an image, or if a session took the place of another one while it was under way: one cannot see from outside
// what an envelope of a customer holds.
//
// # What cannot be judged
//
// Whether an answer that did not come was on its way. What is inside a ciphertext: so it cannot be said which of a customer's
// envelopes held what was lost, nor whether a receipt was lost that a later one made up for. Whether a KEM key of a handshake was
// a one-time one. Whether old keys were forgotten, what stands in a store, who owns a number, and what other tenants
// could see: other tests look there.
package main
