// Package history is what the recorders of a crash test write and its checker reads: one JSON object a line, one file a
// recorder, all files of a run in one folder.
//
// The recorders see the product from outside only: what clients asked and were answered, what phones show, what crossed the
// wire to the relay, what the sink was told, and when the harness killed or set back what. Nothing in a history comes from
// a database of the product. A line is written with one call before the recorder goes on, so that it survives the
// recorder's own death.
//
// The package uses nothing of the product.
package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Op says what a record is.
type Op string

// The operations, with the fields that each fills in beside At and By.
const (
	// Of the harness.
	Begin    Op = "begin"    // Seed, Detail: the command that repeats the run
	Started  Op = "started"  // Process; of a sink that changes its mood, Detail: the mood
	Killed   Op = "killed"   // Process, Point: the failpoint it was killed behind; empty for one at a random moment
	Restored Op = "restored" // Process, Since: when the copy was made that its store was replaced by
	Quiet    Op = "quiet"    // everything has been given time to arrive; Detail: what has not come to rest, if anything
	Draw     Op = "draw"     // Limit: the line of credit that the operator asked for
	Drew     Op = "drew"     // HTTP (0: no answer came, it may hold or not)
	Books    Op = "books"    // Books, as the API shows them
	Opened   Op = "opened"   // Endpoint: the number has one more, beside that of the /v1 settings
	Again    Op = "again"    // Endpoint, Since: it is asked that the endpoint be told again of what has happened since then
	Agreed   Op = "agreed"   // Endpoint, Since, HTTP (0: no answer came, it may be told again or not), Detail
	// Of a client of the API.
	Ask    Op = "ask"    // Call, Key, To, Token, Kind, Closed, Hash of the body
	Answer Op = "answer" // Call, Key, To, Token, HTTP (0: no answer came), ID, Hash of the answer, Replayed, Detail
	// Of somebody who uses the customers' phones.
	Say    Op = "say"    // Customer, Token, Kind, Place: the customer's messages are numbered
	Said   Op = "said"   // Customer, Token, HTTP (0: no answer came, the message may exist), ID
	Thread Op = "thread" // at the end: Customer, Shown
	// Of the wire between the relay and everybody else. Device is whose connection it is.
	Send    Op = "send"    // Device, To, Envelope, Hash of the ciphertext, Header; Frame pairs it with its answer
	Stored  Op = "stored"  // Device, Envelope: the relay has answered that it has it
	Refused Op = "refused" // Device, Envelope, Detail
	Deliver Op = "deliver" // Device, From, Envelope, Seq, Hash
	Ack     Op = "ack"     // Device, Seqs
	Bundle  Op = "bundle"  // Device: who fetched, To: of whom, OneTime: id of the one-time key in it, 0 for none, Hash of that key
	// Of the sink of webhooks. Endpoint, if it is not the first one of the number; Replayed: it was told again because somebody had asked
	// for that. In the dialect kabar also Customer, and Number, Seq and Happened of the event.
	Hook Op = "hook" // ID: webhook-id, Hash of the body, Items; before it is answered
	// Answered is written before the answer leaves, as the next request may be recorded at once. HTTP: what the sink answers;
	// 0: it cuts the connection. Beside it ID, Endpoint and Replayed, and Detail: CutAfter if the answer may have been out by then, or the
	// sink's mood.
	Answered Op = "answered"
)

// CutAfter is the Detail of an Answered whose connection was cut behind the answer: it may have been read, or not.
const CutAfter = "after"

// Record is one line.
type Record struct {
	At int64  `json:"at"` // nanoseconds since 1970, by the clock of the machine that all recorders share
	By string `json:"by"` // the recorder
	Op Op     `json:"op"`

	Seed    uint64 `json:"seed,omitzero"`
	Detail  string `json:"detail,omitzero"`
	Process string `json:"process,omitzero"` // server, relay, phone, sink, client-1, …
	Point   string `json:"point,omitzero"`
	Since   int64  `json:"since,omitzero"`

	Endpoint string `json:"endpoint,omitzero"`
	Number   string `json:"number,omitzero"`   // in whose log the event is
	Happened int64  `json:"happened,omitzero"` // nanoseconds since 1970, as the event says

	Call     string `json:"call,omitzero"` // "message", "media"
	Key      string `json:"key,omitzero"`  // idempotency key
	To       string `json:"to,omitzero"`   // wa_id, or the account of an address
	From     string `json:"from,omitzero"`
	Token    string `json:"token,omitzero"`  // what makes a message's text, caption or parameter unique: see Token
	Kind     string `json:"kind,omitzero"`   // "text", "image", "template"
	Closed   bool   `json:"closed,omitzero"` // the customer has never written: a free-form message must not leave
	Hash     string `json:"hash,omitzero"`   // SHA-256, hex
	HTTP     int    `json:"http,omitzero"`
	ID       string `json:"id,omitzero"`
	Replayed bool   `json:"replayed,omitzero"`

	Limit Money    `json:"limit,omitzero"`
	Books *Account `json:"books,omitzero"`

	Customer string  `json:"customer,omitzero"`
	Place    int     `json:"place,omitzero"`
	Shown    []Shown `json:"shown,omitempty"`

	Device   string   `json:"device,omitzero"`
	Envelope string   `json:"envelope,omitzero"` // id of an envelope, hex
	Seq      uint64   `json:"seq,omitzero"`
	Seqs     []uint64 `json:"seqs,omitempty"`
	Header   *Header  `json:"header,omitzero"`
	OneTime  uint32   `json:"one_time,omitzero"`

	Items []Item `json:"items,omitempty"`
}

// Shown is a message as a phone shows it, in the order of its thread.
type Shown struct {
	ID     string `json:"id"`
	Mine   bool   `json:"mine,omitzero"` // the customer wrote it
	Kind   string `json:"kind"`
	Token  string `json:"token,omitzero"`
	Hash   string `json:"hash,omitzero"` // of a medium's bytes
	Status string `json:"status"`
}

// Item is one message or status in the body of a webhook.
type Item struct {
	ID       string `json:"id"`               // of the message
	Customer string `json:"customer"`         // whom it is about
	Status   string `json:"status,omitzero"`  // of a status
	Failure  int    `json:"failure,omitzero"` // the code of its first error
	Kind     string `json:"kind,omitzero"`    // of a message from a customer
	Token    string `json:"token,omitzero"`
	Hash     string `json:"hash,omitzero"` // of a medium, as announced
}

// Header is what stands in clear before a ciphertext, as docs/encryption.md says. Two ciphertexts may not share one Ratchet
// and Number.
type Header struct {
	Ratchet   string `json:"ratchet,omitzero"` // the sender's ratchet key, hex
	Chain     uint32 `json:"chain,omitzero"`
	Number    uint32 `json:"number,omitzero"`
	OneTime   uint32 `json:"one_time,omitzero"`  // of a handshake: the one-time prekey of To
	KEM       uint32 `json:"kem,omitzero"`       // of a handshake: the KEM prekey of To
	Ephemeral string `json:"ephemeral,omitzero"` // of a handshake
}

// Money counts millionths of the account's currency.
type Money int64

// Account is the money of the business: its line of credit, and every entry of its ledger.
type Account struct {
	Limit     Money            `json:"limit"`
	Available Money            `json:"available"`
	Reserved  Money            `json:"reserved"`
	Spent     Money            `json:"spent"`
	Prices    map[string]Money `json:"prices"` // of a message, by its kind
	Entries   []Entry          `json:"entries"`
}

// Entry is one of a ledger.
type Entry struct {
	Kind    string `json:"kind"` // "allocate", "reserve", "settle", "release"
	Amount  Money  `json:"amount"`
	Message string `json:"message,omitzero"`
}

// Token makes the token of a message: who wrote it (a client, or a customer), to whom, and its number on that way, from 1.
// A sequential writer's messages arrive in this order.
func Token(by, to string, number int) string { return fmt.Sprintf("<%s>%s#%d", by, to, number) }

// Recorder appends records to a file. It is not safe for concurrent use: every goroutine of a program that records has a
// Recorder of its own on the same file.
type Recorder struct {
	by   string
	file *os.File
}

// Open appends to DIR/BY.jsonl.
func Open(dir, by string) (*Recorder, error) {
	f, err := os.OpenFile(filepath.Join(dir, by+suffix), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &Recorder{by, f}, nil
}

const suffix = ".jsonl"

// Write appends a record and sets its At and By. The error is that of the disk.
func (r *Recorder) Write(rec Record) error {
	rec.At, rec.By = time.Now().UnixNano(), r.by
	line, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	_, err = r.file.Write(append(line, '\n'))
	return err
}

// Close closes the file.
func (r *Recorder) Close() error { return r.file.Close() }

// Read returns the records of a folder, all recorders together, by time. The last line of a recorder that was killed may be
// cut off: what does not end in a line feed is dropped.
func Read(dir string) ([]Record, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no history in " + dir)
	}
	parts := make([][]Record, len(names))
	for i, name := range names {
		if parts[i], err = readFile(name); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	all := slices.Concat(parts...)
	slices.SortStableFunc(all, func(a, b Record) int { return int(min(1, max(-1, a.At-b.At))) })
	return all, nil
}

// ReadOne returns what one recorder has written so far, in its order; nothing if it has written nothing.
func ReadOne(dir, by string) ([]Record, error) {
	all, err := readFile(filepath.Join(dir, by+suffix))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

func readFile(name string) ([]Record, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if end := bytes.LastIndexByte(text, '\n'); end+1 < len(text) {
		text = text[:end+1]
	}
	all := make([]Record, 0, bytes.Count(text, []byte("\n"))) // a record is large: millions are not copied as the slice grows
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 64<<20) // a thread is one line
	for lines.Scan() {
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(all)+1, err)
		}
		all = append(all, r)
	}
	return all, lines.Err()
}

// FindToken returns the first token in a text; "" if there is none.
func FindToken(text string) string {
	begin := strings.IndexByte(text, '<')
	if begin < 0 {
		return ""
	}
	end := strings.IndexByte(text[begin:], '#')
	if end < 0 {
		return ""
	}
	last := begin + end + 1
	for last < len(text) && text[last] >= '0' && text[last] <= '9' {
		last++
	}
	return text[begin:last]
}

// ParseToken takes a token apart; ok is false for anything else.
func ParseToken(token string) (by, to string, number int, ok bool) {
	_, err := fmt.Sscanf(strings.NewReplacer("<", "", ">", " ", "#", " ").Replace(token), "%s %s %d", &by, &to, &number)
	return by, to, number, err == nil && Token(by, to, number) == token
}
