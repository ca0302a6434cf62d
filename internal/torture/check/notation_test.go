package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"kabar/internal/torture/history"
)

// The tests write histories down a record a line. Time goes on by a second a line. Messages have names like x1, envelopes
// names like x1/2: the second in which x1 went out. The business is B, other capital letters are customers.
//
//	ask c>A#1 [image|template] [closed] [key=K]    answer c>A#1 201 x1 [hash]    (HTTP 0: none came)
//	upload c>A#1 HASH                              uploaded c>A#1 201
//	say A 1 [image HASH]                           said A 1 201
//	send B A x1/1 RATCHET.NUMBER HASH [eph=E] [otk=7]
//	stored B x1/1     deliver A B x1/1 SEQ HASH    ack A SEQ      bundle B A 7
//	hook w1 HASH ITEM...                           took w1 200 [after]
//	    an item is x1:sent, x1:failed:470 with the customer behind @, or a message: A#1=y1@A [image HASH is A#1=y1/HASH@A]
//	opened                                         the number has an endpoint more, which is told in the dialect kabar:
//	log e1 HASH 3@A ITEM...    logged e1 200       a webhook of it about the third event of the log, which happened in second 3; 3/2@A: in second 2;
//	                                               n2:3@A: of another log
//	again 2    agreed 2 202                        it is asked for all that has happened since that second, once more
//	retold e1 HASH 3@A ITEM... retaken e1 200      the same webhook because of that
//	thread A c>A#1=x1 A#1 ...                      with /HASH behind the id of an image
//	draw 100    drew 200    books LIMIT/AVAILABLE/RESERVED/SPENT allocate:100 reserve:7:x1 settle:7:x1 ...    (a text costs 7)
//	restored SECOND                                the copy was made at that line
//	quiet [detail]
func notation(t *testing.T, text string) []history.Record {
	t.Helper()
	var all []history.Record
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		rec := record(t, words[0], words[1:])
		rec.At = int64(len(all)+1) * 1e9
		all = append(all, rec)
	}
	return all
}

func record(t *testing.T, verb string, w []string) history.Record {
	t.Helper()
	defer func() {
		if e := recover(); e != nil {
			t.Fatalf("%s %q: %v", verb, w, e)
		}
	}()
	switch verb {
	case "ask", "answer", "upload", "uploaded":
		return call(verb, w)
	case "say", "said":
		rec := history.Record{By: "people", Op: history.Op(verb), Customer: w[0], Place: number(w[1]), Token: said(w[0], w[1]), Kind: "text"}
		if verb == "said" {
			rec.HTTP = number(w[2])
		} else if len(w) > 2 {
			rec.Kind, rec.Hash = w[2], w[3]
		}
		return rec
	case "hook", "took":
		return hook(verb, w)
	case "opened", "again", "agreed", "log", "logged", "retold", "retaken":
		return flat(verb, w)
	case "thread":
		rec := history.Record{By: "people", Op: history.Thread, Customer: w[0]}
		for _, s := range w[1:] {
			rec.Shown = append(rec.Shown, shown(s))
		}
		return rec
	case "restored":
		return history.Record{By: "torture", Op: history.Restored, Process: "server", Since: int64(number(w[0])) * 1e9}
	case "killed":
		return history.Record{By: "torture", Op: history.Killed, Process: w[0]}
	case "draw":
		return history.Record{By: "purse", Op: history.Draw, Limit: history.Money(number(w[0]))}
	case "drew":
		return history.Record{By: "purse", Op: history.Drew, HTTP: number(w[0])}
	case "books":
		return books(w)
	case "quiet":
		return history.Record{By: "torture", Op: history.Quiet, Detail: strings.Join(w, " ")}
	}
	return wired(verb, w)
}

func books(w []string) history.Record {
	a := &history.Account{Prices: prices()}
	for i, text := range strings.Split(w[0], "/") {
		*[]*history.Money{&a.Limit, &a.Available, &a.Reserved, &a.Spent}[i] = history.Money(number(text))
	}
	for _, word := range w[1:] {
		parts := strings.Split(word+":", ":")
		a.Entries = append(a.Entries, history.Entry{Kind: parts[0], Amount: history.Money(number(parts[1])), Message: id(parts[2])})
	}
	return history.Record{By: "purse", Op: history.Books, Books: a}
}

func call(verb string, w []string) history.Record {
	token := asked(w[0])
	by, to, _, _ := history.ParseToken(token)
	rec := history.Record{By: by, Op: history.Op(verb), Call: "message", Key: "k/" + token, To: to, Token: token}
	switch verb {
	case "upload":
		rec.Op, rec.Call, rec.Hash = history.Ask, "media", w[1]
		return rec
	case "uploaded":
		rec.Op, rec.Call, rec.HTTP = history.Answer, "media", number(w[1])
		return rec
	case "answer":
		rec.HTTP, rec.Hash = number(w[1]), "same"
		if len(w) > 2 {
			rec.ID = id(w[2])
		}
		if len(w) > 3 {
			rec.Hash = w[3]
		}
		return rec
	}
	rec.Kind = "text"
	for _, word := range w[1:] {
		switch key, isKey := strings.CutPrefix(word, "key="); {
		case isKey:
			rec.Key = key
		case word == "closed":
			rec.Closed = true
		default:
			rec.Kind = word
		}
	}
	return rec
}

func hook(verb string, w []string) history.Record {
	if verb == "took" {
		return history.Record{By: "sink", Op: history.Answered, ID: w[0], HTTP: number(w[1]), Detail: strings.Join(w[2:], " ")}
	}
	rec := history.Record{By: "sink", Op: history.Hook, ID: w[0], Hash: w[1]}
	for _, word := range w[2:] {
		what, customer, _ := strings.Cut(word, "@")
		item := history.Item{Customer: customer}
		if strings.Contains(what, "#") {
			s := shown(what)
			item.ID, item.Token, item.Kind, item.Hash = s.ID, s.Token, s.Kind, s.Hash
		} else {
			parts := strings.Split(what+":0", ":")
			item.ID, item.Status, item.Failure = id(parts[0]), parts[1], number(parts[2])
		}
		rec.Items = append(rec.Items, item)
	}
	return rec
}

func flat(verb string, w []string) history.Record {
	var rec history.Record
	switch verb {
	case "log", "retold":
		log, seq, other := strings.Cut(w[2], ":")
		if !other {
			log, seq = "", w[2]
		}
		seq, customer, _ := strings.Cut(seq, "@")
		rec = hook("hook", append(w[:2:2], w[3:]...))
		place, second, differs := strings.Cut(seq, "/")
		if !differs {
			second = place
		}
		rec.Number, rec.Seq, rec.Happened, rec.Customer = log, uint64(number(place)), int64(number(second))*1e9, customer
	case "logged", "retaken":
		rec = hook("took", w)
	case "opened":
		rec = history.Record{By: "harness", Op: history.Opened}
	default:
		rec = history.Record{By: "harness", Op: history.Op(verb), Since: int64(number(w[0])) * 1e9}
		if verb == "agreed" {
			rec.HTTP = number(w[1])
		}
	}
	rec.Endpoint, rec.Replayed = "kabar", verb == "retold" || verb == "retaken"
	return rec
}

func shown(word string) history.Shown {
	word, hash, image := strings.Cut(word, "/")
	token, name, _ := strings.Cut(word, "=")
	s := history.Shown{ID: id(name), Kind: "text", Hash: hash}
	if image {
		s.Kind = "image"
	}
	if strings.Contains(token, ">") {
		s.Token = asked(token)
	} else if customer, n, ok := strings.Cut(token, "#"); ok {
		s.Token, s.Mine = said(customer, n), true
	}
	return s
}

func wired(verb string, w []string) history.Record {
	rec := history.Record{By: "wire", Op: history.Op(verb), Device: w[0]}
	switch verb {
	case "send":
		ratchet, n, _ := strings.Cut(w[3], ".")
		rec.To, rec.Envelope, rec.Hash = w[1], envelopeID(w[2]), w[4]
		rec.Header = &history.Header{Ratchet: ratchet, Number: uint32(number(n))}
		for _, word := range w[5:] {
			if e, ok := strings.CutPrefix(word, "eph="); ok {
				rec.Header.Ephemeral = e
			} else {
				rec.Header.OneTime = uint32(number(strings.TrimPrefix(word, "otk=")))
			}
		}
	case "stored":
		rec.Envelope = envelopeID(w[1])
	case "deliver":
		rec.From, rec.Envelope, rec.Seq, rec.Hash = w[1], envelopeID(w[2]), uint64(number(w[3])), w[4]
	case "ack":
		rec.Seqs = []uint64{uint64(number(w[1]))}
	case "bundle":
		rec.To, rec.OneTime = w[1], uint32(number(w[2]))
	default:
		panic("unknown record")
	}
	return rec
}

func asked(word string) string {
	by, rest, _ := strings.Cut(word, ">")
	to, n, _ := strings.Cut(rest, "#")
	return history.Token(by, to, number(n))
}

func said(customer, n string) string { return history.Token(customer, "B", number(n)) }

// stanza is a message's own id, as the API and the wire both show it.
func stanza(name string) []byte { return fmt.Appendf(nil, "\x01%8s", name) }

func id(name string) string {
	if name == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte("\x80\x11\x02\x12\x34\x02\x09"), stanza(name)...))
}

func envelopeID(name string) string {
	message, n, _ := strings.Cut(name, "/")
	return hex.EncodeToString(fmt.Appendf(stanza(message), "%7s", n))
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// names returns the rules that a history breaks, each once.
func names(found []violation) (all []string) {
	for _, v := range found {
		if len(all) == 0 || all[len(all)-1] != v.rule {
			all = append(all, v.rule)
		}
	}
	return all
}
