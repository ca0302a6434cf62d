package main

import (
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"kabar/internal/torture/history"
)

// messageOf is a message's own id, as an envelope's id begins with it.
func messageOf(id string) string {
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(b[len(b)-stanzaLen/2:])
}

// A product without fault is never blamed.
func TestPerfection(t *testing.T) {
	for seed := range uint64(100) {
		for _, v := range judge(index(newPerfect(seed).live(300))) {
			t.Errorf("seed %d: %s: %s %v", seed, v.rule, v.what, v.records)
		}
	}
}

// corruption changes one record, or two, of a perfect history as a fault would have. It is tried on the records that fit, at random.
type corruption struct {
	name string
	want string
	fits func(all []history.Record, at int) bool
	do   func(all []history.Record, at int) []history.Record
}

func isOp(op history.Op) func([]history.Record, int) bool {
	return func(all []history.Record, at int) bool { return all[at].Op == op }
}

// edit changes a record in place.
func edit(change func(*history.Record)) func([]history.Record, int) []history.Record {
	return func(all []history.Record, at int) []history.Record {
		change(&all[at])
		return all
	}
}

// repeat puts a changed copy of a record behind it.
func repeat(change func(*history.Record)) func([]history.Record, int) []history.Record {
	return func(all []history.Record, at int) []history.Record {
		twin := all[at]
		change(&twin)
		return slices.Insert(all, at+1, twin)
	}
}

// without changes what a thread shows, or a webhook holds, to a copy of it: histories share them.
func without[T any](all []T, i int) []T { return slices.Delete(slices.Clone(all), i, i+1) }

func shows(mine bool) func([]history.Record, int) bool {
	return func(all []history.Record, at int) bool {
		return slices.ContainsFunc(all[at].Shown, func(s history.Shown) bool { return s.Mine == mine })
	}
}

func firstShown(rec *history.Record) int {
	return slices.IndexFunc(rec.Shown, func(s history.Shown) bool { return !s.Mine })
}

func corruptions() []corruption {
	hooked := isOp(history.Hook)
	return []corruption{
		{"a message is not shown", "loss", shows(false), edit(func(r *history.Record) { r.Shown = without(r.Shown, firstShown(r)) })},
		{"a message is shown twice", "once", shows(false), edit(func(r *history.Record) { r.Shown = append(slices.Clone(r.Shown), r.Shown[firstShown(r)]) })},
		{"a message is invented", "invention", isOp(history.Thread), edit(func(r *history.Record) {
			r.Shown = append(slices.Clone(r.Shown), history.Shown{ID: "x", Kind: "text", Token: history.Token("c1", r.Customer, 9999)})
		})},
		{"a message is shown too late", "order", func(all []history.Record, at int) bool {
			return len(ofClient(all[at].Shown)) > 1
		}, edit(func(r *history.Record) {
			r.Shown = slices.Clone(r.Shown)
			first := ofClient(r.Shown)[0]
			r.Shown = append(slices.Delete(slices.Clone(r.Shown), first, first+1), r.Shown[first])
		})},
		{"an image is damaged", "upload", func(all []history.Record, at int) bool {
			return slices.ContainsFunc(all[at].Shown, func(s history.Shown) bool { return s.Hash != "" })
		}, edit(func(r *history.Record) {
			r.Shown = slices.Clone(r.Shown)
			r.Shown[slices.IndexFunc(r.Shown, func(s history.Shown) bool { return s.Hash != "" })].Hash = "damaged"
		})},
		{"a retry has another body", "once", hooked, repeat(func(r *history.Record) { r.Hash = "another" })},
		{"an event is told under another webhook-id", "once", hooked, repeat(func(r *history.Record) { r.ID = "another" })},
		{"a customer's message is never told", "loss", func(all []history.Record, at int) bool {
			return all[at].Op == history.Hook && len(all[at].Items) == 1 && all[at].Items[0].Token != "" && accepted(all, all[at].Items[0].Token)
		}, func(all []history.Record, at int) []history.Record {
			id := all[at].ID
			for i := range all {
				if all[i].Op == history.Answered && all[i].ID == id {
					all[i].HTTP = 503
				}
			}
			return all
		}},
		{"statuses are told backwards", "status", func(all []history.Record, at int) bool {
			items := all[at].Items
			return len(items) > 1 && items[0].ID == items[1].ID && first(all, at)
		}, func(all []history.Record, at int) []history.Record {
			id := all[at].ID
			for i := range all {
				if all[i].Op == history.Hook && all[i].ID == id {
					all[i].Items = slices.Clone(all[i].Items)
					all[i].Items[0], all[i].Items[1] = all[i].Items[1], all[i].Items[0]
				}
			}
			return all
		}},
		{"a key is used twice", "keys", isOp(history.Send), repeat(func(r *history.Record) { r.Envelope, r.Hash = "another", "another" })},
		{"a one-time key is handed out twice", "keys", isOp(history.Bundle), repeat(func(r *history.Record) { r.Device = "D" })},
		{"an envelope is sent with other bytes", "resend", isOp(history.Send), repeat(func(r *history.Record) { r.Hash, r.Header = "another", nil })},
		{"an envelope is altered", "relay", isOp(history.Deliver), edit(func(r *history.Record) { r.Hash = "another" })},
		{"a key has two ids", "idempotency", func(all []history.Record, at int) bool {
			return all[at].Op == history.Answer && all[at].Call == "message" && all[at].HTTP == 201
		}, repeat(func(r *history.Record) { r.ID = "another" })},
		{"a charge is forgotten", "money", isOp(history.Books), edit(func(r *history.Record) { r.Books.Entries = r.Books.Entries[1:] })},
		{"a charge is off by a digit", "money", isOp(history.Books), edit(func(r *history.Record) { r.Books.Entries[len(r.Books.Entries)-1].Amount++ })},
		{"the line of credit is off by a digit", "money", isOp(history.Books), edit(func(r *history.Record) { r.Books.Spent-- })},
		{"a closed window is passed", "window", func(all []history.Record, at int) bool {
			return all[at].Op == history.Answer && all[at].Closed && all[at].Kind != "template" && all[at].HTTP == 201
		}, func(all []history.Record, at int) []history.Record {
			return slices.Insert(all, at+1, history.Record{Op: history.Send, At: all[at].At, Device: "B", To: all[at].To, Envelope: messageOf(all[at].ID) + "00000000000000", Hash: "h"})
		}},
	}
}

// ofClient returns where messages stand in a thread that one client wrote.
func ofClient(shown []history.Shown) (places []int) {
	for i, s := range shown {
		if by, _, _, ok := history.ParseToken(s.Token); ok && by == "c1" && !s.Mine {
			places = append(places, i)
		}
	}
	return places
}

func accepted(all []history.Record, token string) bool {
	return slices.ContainsFunc(all, func(r history.Record) bool { return r.Op == history.Said && r.Token == token && r.HTTP == 201 })
}

// first says that a record is the first attempt of its webhook.
func first(all []history.Record, at int) bool {
	return !slices.ContainsFunc(all[:at], func(r history.Record) bool { return r.Op == history.Hook && r.ID == all[at].ID })
}

// One fault in a history that is otherwise perfect is found, wherever it is.
func TestCorruption(t *testing.T) {
	for _, c := range append(corruptions(), ofOther()...) {
		t.Run(c.name, func(t *testing.T) {
			tried := 0
			for seed := range uint64(20) {
				all := newPerfect(seed).live(300)
				var fit []int
				for at := range all {
					if c.fits(all, at) {
						fit = append(fit, at)
					}
				}
				if len(fit) == 0 {
					continue
				}
				tried++
				at := fit[rand.New(rand.NewPCG(seed, 1)).IntN(len(fit))]
				if got := names(judge(index(c.do(all, at)))); !slices.Contains(got, c.want) {
					t.Errorf("seed %d, record %d: broken %q, want %q", seed, at, got, c.want)
				}
			}
			if tried < 15 {
				t.Errorf("tried on %d histories only", tried)
			}
		})
	}
}
