package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
	"kabar/internal/trace"
)

func (v *env) erase(customer string) *store.Erasure {
	v.t.Helper()
	e, err := v.e.Erasures().Erase(v.t.Context(), v.account(), customer, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return e
}

// seen is what the management API has about a customer, as JSON.
func (v *env) seen(customer string) string {
	v.t.Helper()
	tracer := trace.New(v.db, trace.Names{ID: func(_ bool, _ *kabar.Number, c kabar.Customer, ref uint64) string {
		return fmt.Sprint(c.Handle(), "-", ref)
	},
		Ref: func(string) (uint64, bool) { return 0, false }, Own: func(id string) string { return id }, Code: func(kabar.Reason) int { return 1 }})
	page, err := tracer.List(v.t.Context(), trace.Of{}, trace.Query{WaID: customer, Limit: trace.MaxList})
	if err != nil {
		v.t.Fatal(err)
	}
	consent, history, err := v.e.Consents().Get(v.t.Context(), v.account(), customer)
	if err != nil {
		v.t.Fatal(err)
	}
	b, err := json.Marshal([]any{page, consent, history})
	if err != nil {
		v.t.Fatal(err)
	}
	return string(b)
}

// What waits for a customer who is erased is not sent, and costs nothing; of the other nothing changes. Who comes back is somebody new.
func TestEraseWhileMessagesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 1_000_000)
		for _, who := range []string{ana, budi} {
			v.hear(who, "hi")
		}
		if _, err := v.template(ana); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		v.net.SetOffline(true)
		for i := range 5 {
			if _, err := v.template(ana); err != nil {
				t.Fatal(err)
			}
			v.text(budi, fmt.Sprint("for Budi ", i))
		}
		synctest.Wait()
		before, sent := v.seen(budi), len(v.net.Messages())
		c, err := v.db.FindConversation(t.Context(), v.id, ana)
		if err != nil {
			t.Fatal(err)
		}
		e := v.erase(ana)
		if want := (store.Removed{Conversations: 1, Messages: 7, Events: 2}); e.Removed != want || e.Ended.IsZero() {
			t.Errorf("%+v, want %+v", e.Removed, want)
		}
		v.wantMoney("reserved 0.015, spent 0.00, available 0.985") // of three texts to the other
		if after := v.seen(budi); after != before {
			t.Errorf("the other customer was\n%s, is\n%s", before, after)
		}
		v.net.SetOffline(false)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(v.net.Messages()) - sent; n != 5 {
			t.Errorf("%d messages have gone out, want those 5 to the other customer", n)
		}
		v.comesBack(c)
		v.wantLedger()
	})
}

// comesBack has the customer of a conversation that is gone tell of old messages, which is nothing, and write.
func (v *env) comesBack(gone *kabar.Conversation) {
	t := v.t
	v.receipt(ana, kabar.Read, 1, 2, 3)
	if _, err := v.db.FindConversation(t.Context(), v.id, ana); !store.IsNotFound(err) {
		t.Errorf("a receipt has made a conversation: %v", err)
	}
	if _, err := v.db.Conversation(t.Context(), v.id, gone.ID); !store.IsNotFound(err) {
		t.Errorf("the conversation is there still: %v", err)
	}
	v.hear(ana, "it is me")
	synctest.Wait()
	c, err := v.db.FindConversation(t.Context(), v.id, ana)
	if err != nil || c.ID == gone.ID {
		t.Fatalf("%+v, %v", c, err)
	}
	history, err := v.db.History(t.Context(), v.id, c.ID, 0, 100)
	if err != nil || len(history) != 1 {
		t.Errorf("%d messages, %v", len(history), err)
	}
}

// Of two who ask at once one erases, and both are told. To ask again is harmless, and so is a process that ends in between.
func TestEraseTwiceAtOnceAndAgain(t *testing.T) {
	v := newEnv(t)
	for i := range 20 {
		v.hear(ana, fmt.Sprint("word ", i))
	}
	var wg sync.WaitGroup
	var all [2]*store.Erasure
	for i := range all {
		wg.Go(func() {
			var err error
			if all[i], err = v.e.Erasures().Erase(t.Context(), v.account(), "+"+ana, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all[0] == nil || all[1] == nil || all[0].Pseudonym != all[1].Pseudonym || all[0].Removed.Messages != 20 || !reflect.DeepEqual(all[0].Removed, all[1].Removed) {
		t.Errorf("%+v and %+v", all[0], all[1])
	}
	for customer, want := range map[string]kabar.Reason{"34600000000": kabar.ReasonNotFound, "nobody": kabar.ReasonInvalid, "": kabar.ReasonInvalid} {
		if _, err := v.e.Erasures().Erase(t.Context(), v.account(), customer, nil); reasonOf(err) != want {
			t.Errorf("%q: %v", customer, err)
		}
	}
	v.hear(ana, "again")
	p, err := v.db.FindPerson(t.Context(), v.account(), ana)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.db.BeginErasure(t.Context(), p, nil, v.net.Entries, v.now()); err != nil {
		t.Fatal(err)
	}
	v.restart() // goes on with it
	if last := v.erase(ana); last.Removed.Messages != 1 || last.Ended.IsZero() {
		t.Errorf("%+v", last)
	}
	report, err := v.db.VerifyAudit(t.Context(), "", nil)
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("the audit log: %+v, %v", report, err)
	}
}

// A request with a key that is repeated after its customer was erased is a new one; with the customer there it has its old answer.
func TestAnswersGoWithTheCustomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		once := func() bool {
			_, s, err := v.send(engine.Request{To: ana, Content: &kabar.Text{Body: "hello"}, Once: &engine.Once{Path: "/v1/messages", Key: "k", Hash: "h"}})
			if err != nil {
				t.Fatal(err)
			}
			return s.Replayed
		}
		if once() || !once() {
			t.Error("the second request is not the first's repetition")
		}
		v.erase(ana)
		if once() {
			t.Error("the answer is there still")
		}
	})
}

// A medium goes with the only conversation that it is in.
func TestMediaGoWithTheirConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		hers, both, nobodys := v.put("invoice of Ana", "text/plain"), v.put("menu", "text/plain"), v.put("not sent", "text/plain")
		for _, who := range []string{ana, budi} {
			v.hear(who, "hi")
			for _, id := range []kabar.MediaID{hers, both} {
				if who == budi && id == hers {
					continue
				}
				doc := kabar.NewMedia(kabar.KindDocument)
				doc.ID = id
				if _, _, err := v.send(engine.Request{To: who, Content: doc}); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		if e := v.erase(ana); e.Removed.Media != 1 {
			t.Errorf("%+v", e.Removed)
		}
		if _, err := v.readMedium(hers); reasonOf(err) != kabar.ReasonNotFound {
			t.Errorf("hers: %v", err)
		}
		for _, id := range []kabar.MediaID{both, nobodys} {
			if _, err := v.readMedium(id); err != nil {
				t.Errorf("what is not hers alone: %v", err)
			}
		}
		if n := len(v.files()); n != 2 {
			t.Errorf("%d files are left", n)
		}
	})
}

// What an account says about how long things are kept goes before the settings of its numbers.
func TestRetentionOfAnAccount(t *testing.T) {
	days := func(n int) *int { return &n }
	for name, tt := range map[string]struct {
		kept kabar.Retention
		want string // what is left after 40 days
	}{
		"nothing said": {kabar.Retention{}, "media"}, // messages go by the number's settings, and events with them
		"narrower":     {kabar.Retention{Messages: days(10), Media: days(10)}, ""},
		"wider":        {kabar.Retention{Messages: days(60), Answers: days(60)}, "messages events media answers"},
		"without end":  {kabar.Retention{Messages: days(0), Events: days(10)}, "messages media"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newEnv(t)
				if _, err := v.e.Accounts().ChangeRetention(t.Context(), v.account(), func(r *kabar.Retention) error { *r = tt.kept; return nil }); err != nil {
					t.Fatal(err)
				}
				v.hear(ana, "hi")
				medium := v.put("menu", "text/plain")
				once := &engine.Once{Path: "/v1/messages", Key: "k", Hash: "h"}
				if _, _, err := v.send(engine.Request{To: ana, Content: &kabar.Text{Body: "hello"}, Once: once}); err != nil {
					t.Fatal(err)
				}
				at := v.now()
				synctest.Wait()
				v.readAllEvents()
				time.Sleep(40 * 24 * time.Hour)
				synctest.Wait()
				var left []string
				if all, err := v.db.Messages(t.Context(), v.id, 0, 9); err != nil || len(all) > 0 {
					left = append(left, "messages")
				}
				if all, err := v.db.Events(t.Context(), v.id, 0, 9); err != nil || len(all) > 0 {
					left = append(left, "events")
				}
				if _, err := v.db.Medium(t.Context(), v.id, medium); err == nil {
					left = append(left, "media")
				}
				if a, err := v.db.Answer(t.Context(), v.id, once.Path, once.Key, at.Add(time.Hour)); err != nil || a != nil {
					left = append(left, "answers")
				}
				if got := strings.Join(left, " "); got != tt.want {
					t.Errorf("left are %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// readAllEvents has every endpoint be done with what is in the log.
func (v *env) readAllEvents() {
	v.t.Helper()
	endpoints, err := v.db.Endpoints(v.t.Context(), v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	last, err := v.db.LastSeq(v.t.Context(), v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	err = v.db.Write(v.t.Context(), nil, func(tx *store.Tx) error {
		for _, ep := range endpoints {
			if err := tx.Advance(v.id, ep.ID, last); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

func TestRetentionIsDays(t *testing.T) {
	v := newEnv(t)
	for _, n := range []int{-1, kabar.MaxRetention + 1} {
		_, err := v.e.Accounts().ChangeRetention(t.Context(), v.account(), func(r *kabar.Retention) error { r.Events = &n; return nil })
		if reasonOf(err) != kabar.ReasonInvalid {
			t.Errorf("%d: %v", n, err)
		}
	}
	none := 0
	if _, err := v.e.Accounts().ChangeRetention(t.Context(), v.account(), func(r *kabar.Retention) error { r.Answers = &none; return nil }); reasonOf(err) != kabar.ReasonInvalid {
		t.Errorf("answers without end: %v", err)
	}
	if kept, err := v.e.Accounts().Retention(t.Context(), v.account()); err != nil || kept != (kabar.Retention{}) {
		t.Errorf("what was refused was stored: %+v, %v", kept, err)
	}
}

// reasonOf is why something was refused; empty for what was not, and what failed otherwise.
func reasonOf(err error) kabar.Reason {
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return refused.Reason
	}
	return ""
}
