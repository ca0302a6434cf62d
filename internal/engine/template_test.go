package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/golden"
	"kabar/internal/rates"
	"kabar/internal/store"
)

// draft is a template of the category that says something.
func draft(name, category, text string) *kabar.TemplateDef {
	return &kabar.TemplateDef{Name: name, Language: "en", Category: kabar.Category(category), Components: []kabar.TemplateComponent{
		{Type: "body", Text: text}}}
}

// news returns what events have told of templates.
func (v *env) news() string {
	v.t.Helper()
	evs, err := v.db.Events(v.t.Context(), v.id, 0, 10_000)
	if err != nil {
		v.t.Fatal(err)
	}
	var all []string
	for _, e := range evs {
		if e.Kind == kabar.EventTemplate {
			all = append(all, strings.TrimSpace(e.Template.Name+" "+string(e.Template.Kind)+" "+e.Template.Event+string(e.Template.Score)))
		}
	}
	return strings.Join(all, ", ")
}

func (v *env) account() kabar.AccountID {
	v.t.Helper()
	n, err := v.e.Number(v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	return n.Account
}

func (v *env) policy(p kabar.TemplatePolicy) {
	v.t.Helper()
	if err := v.e.Templates().SetPolicy(v.t.Context(), v.account(), p); err != nil {
		v.t.Fatal(err)
	}
}

func (v *env) create(d *kabar.TemplateDef) *kabar.TemplateDef {
	v.t.Helper()
	made, err := v.e.Templates().Create(v.t.Context(), v.account(), d, "operator")
	if err != nil {
		v.t.Fatal(err)
	}
	return made
}

func (v *env) status(id kabar.TemplateID) string {
	v.t.Helper()
	d, err := v.e.Templates().Get(v.t.Context(), v.account(), id)
	if err != nil {
		return err.Error()
	}
	return string(d.Status)
}

func (v *env) review(id kabar.TemplateID, d kabar.Decision) {
	v.t.Helper()
	if _, err := v.e.Templates().Review(v.t.Context(), v.account(), id, d, "operator"); err != nil {
		v.t.Fatal(err)
	}
}

// sendTemplate sends a template without parameters and returns the message.
func (v *env) sendTemplate(to, name string) (ref uint64, held bool, err error) {
	ref, _, err = v.send(engine.Request{To: to, Content: &kabar.Template{Name: name, Language: kabar.Language{Code: "en"}},
		Answer: func(m *kabar.Message, _ kabar.Customer) (int, []byte, error) {
			held = m.Held
			return 201, fmt.Appendf(nil, "%d", m.Ref), nil
		}})
	return ref, held, err
}

// The automatic review takes a moment, in which the template is pending and cannot be sent, and survives a restart.
func TestTemplateReview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.policy(kabar.TemplatePolicy{Review: kabar.ReviewDelayed, Delay: time.Hour})
		d := v.create(draft("parcel", "UTILITY", "Your parcel has arrived."))
		bad := v.create(draft("prize", "MARKETING", "You have won a car."))
		v.wantReason(func() error { _, _, err := v.sendTemplate(ana, "parcel"); return err }(), kabar.ReasonTemplateMissing)
		v.restart()
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		if s := v.status(d.ID); s != "PENDING" {
			t.Errorf("before its time: %s", s)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := v.status(d.ID) + " " + v.status(bad.ID); s != "APPROVED REJECTED" {
			t.Errorf("after its time: %s", s)
		}
		if _, _, err := v.sendTemplate(ana, "parcel"); err != nil {
			t.Error(err)
		}
		v.wantReason(func() error { _, _, err := v.sendTemplate(ana, "prize"); return err }(), kabar.ReasonTemplateRejected)
		if got := v.news(); got != "parcel status PENDING, prize status PENDING, parcel status APPROVED, prize status REJECTED" {
			t.Errorf("told %s", got)
		}
		v.review(d.ID, kabar.Decision{Decision: kabar.VerbPause})
		v.wantReason(func() error { _, _, err := v.sendTemplate(ana, "parcel"); return err }(), kabar.ReasonTemplatePaused)
		history, err := v.e.Templates().History(t.Context(), v.account(), d.ID)
		var did []string
		for _, h := range history {
			did = append(did, h.Actor+" "+h.Action)
		}
		if got := strings.Join(did, ", "); got != "operator template.pending, review template.approved, operator template.paused" || err != nil {
			t.Errorf("history %s, %v", got, err)
		}
	})
}

func TestTemplateManualReview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		d := v.create(draft("sale", "UTILITY", "There is a discount for you today."))
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if s := v.status(d.ID); s != "PENDING" || d.Category != kabar.CategoryMarketing || d.Life.Previous != kabar.CategoryUtility {
			t.Errorf("%s, %s", s, d.Category)
		}
		v.review(d.ID, kabar.Decision{Decision: kabar.VerbReject, Reason: kabar.RejectedPromotional, Note: "No."})
		edit := kabar.TemplateEdit{Components: draft("", "", "Your order is on its way.").Components}
		made, err := v.e.Templates().Edit(t.Context(), v.account(), d.ID, edit, "operator")
		if err != nil || made.Status != kabar.TemplatePending || made.Components[0].Type != kabar.TemplateBody {
			t.Fatalf("%+v, %v", made, err)
		}
		v.review(d.ID, kabar.Decision{Decision: kabar.VerbApprove})
		if got := v.news(); got != "sale status PENDING, sale status REJECTED, sale components, sale status PENDING, sale status APPROVED" {
			t.Errorf("told %s", got)
		}
		edit.Components = []kabar.TemplateComponent{{Type: "BODY", Text: "{{1}}"}}
		_, err = v.e.Templates().Edit(t.Context(), v.account(), d.ID, edit, "operator")
		if faults, ok := errors.AsType[kabar.TemplateFaults](err); !ok || len(faults) != 3 {
			t.Errorf("a bad edit: %v", err)
		}
		if s := v.status(d.ID); s != "APPROVED" {
			t.Errorf("after a bad edit: %s", s)
		}
	})
}

func TestTemplateCreateRefuses(t *testing.T) {
	v := newEnv(t)
	v.policy(kabar.TemplatePolicy{Review: kabar.ReviewManual, Limit: 3})
	create := func(d *kabar.TemplateDef) error {
		_, err := v.e.Templates().Create(t.Context(), v.account(), d, "operator")
		return err
	}
	v.wantReason(create(draft("Bad", "UTILITY", "x")), kabar.ReasonTemplateFaults)
	v.create(draft("one", "UTILITY", "Your parcel has arrived."))
	v.wantReason(create(draft("one", "UTILITY", "Another text of it.")), kabar.ReasonTemplateExists)
	twin := v.create(draft("two", "MARKETING", "Your  PARCEL has arrived."))
	if twin.Life.Verdict.Reject != kabar.RejectedFormat {
		t.Errorf("a duplicate: %+v", twin.Life.Verdict)
	}
	v.wantReason(create(draft("three", "UTILITY", "A third text of it.")), kabar.ReasonTemplateLimit)
	other := draft("one", "UTILITY", "Paket Anda sudah tiba.")
	other.Language = "id"
	if err := create(other); err != nil {
		t.Errorf("another language of a template is no other one, and yet %v", err)
	}
	v.review(twin.ID, kabar.Decision{Decision: kabar.VerbApprove})
	remove := func(name string, ids ...kabar.TemplateID) error {
		return v.e.Templates().Delete(t.Context(), v.account(), engine.Doomed{Name: name, IDs: ids}, "operator")
	}
	if err := remove("two"); err != nil {
		t.Fatal(err)
	}
	v.wantReason(create(draft("two", "UTILITY", "Yet another text.")), kabar.ReasonTemplateDeleting)
	v.wantReason(remove("two"), kabar.ReasonNotFound)
	v.wantReason(remove("one", twin.ID), kabar.ReasonNotFound)
	if err := remove("one"); err != nil {
		t.Fatal(err)
	}
	v.create(draft("one", "UTILITY", "Your parcel has arrived."))
	page, err := v.e.Templates().List(t.Context(), v.account(), store.TemplateQuery{Limit: 1})
	if err != nil || len(page.Templates) != 1 || !page.More || page.First.Name != "hello" {
		t.Errorf("%+v, %v", page, err)
	}
}

// Customers who block the number after a template take it out of use for three hours, and it comes back by itself.
func TestTemplateQuality(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto})
		d := v.create(draft("news", "UTILITY", "There is news about your parcel."))
		time.Sleep(time.Minute)
		synctest.Wait()
		const customers = 100
		who := func(i int) string { return fmt.Sprintf("34600%06d", i) }
		for i := range customers {
			ref, _, err := v.sendTemplate(who(i), "news")
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			v.receipt(who(i), kabar.Read, ref)
		}
		block := true
		for i := range 5 {
			v.deliver(kabar.Update{From: kabar.Customer{WaID: who(i)}, At: v.now(), Blocked: &block})
		}
		if s := v.status(d.ID); s != "PAUSED" {
			t.Errorf("after five blocks: %s", s)
		}
		days, err := v.e.Templates().Use(t.Context(), v.account(), d.ID, kabar.DayOf(v.now()), kabar.DayOf(v.now()))
		u := days[kabar.DayOf(v.now())]
		if u.Accepted != customers || u.Sent != customers || u.Delivered != customers || u.Read != customers || u.Blocked != 5 || err != nil {
			t.Errorf("%+v, %v", u, err)
		}
		time.Sleep(kabar.FirstPause + time.Second)
		synctest.Wait()
		if got := v.news(); !strings.HasSuffix(got, "news quality RED, news status PAUSED, news status APPROVED") && !strings.Contains(got, "news status PAUSED, news status APPROVED") {
			t.Errorf("told %s", got)
		}
	})
}

// Of a new marketing template the first messages go out; the others wait, and go or fail by how the first are taken.
func TestTemplatePacing(t *testing.T) {
	for name, bad := range map[string]bool{"good": false, "bad": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newEnv(t)
				v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto, Pace: 2})
				d := v.create(draft("party", "MARKETING", "Come and see our new mugs."))
				time.Sleep(time.Minute)
				synctest.Wait()
				var waits []bool
				for i := range 4 {
					_, held, err := v.sendTemplate(fmt.Sprintf("3460011122%d", i), "party")
					if err != nil {
						t.Fatal(err)
					}
					waits = append(waits, held)
				}
				synctest.Wait()
				if fmt.Sprint(waits) != "[false false true true]" || len(v.net.Messages()) != 2 {
					t.Errorf("held %v, %d sent", waits, len(v.net.Messages()))
				}
				if block := true; bad {
					v.deliver(kabar.Update{From: kabar.Customer{WaID: "34600111220"}, At: v.now(), Blocked: &block})
				}
				v.restart()
				time.Sleep(kabar.PaceFor + time.Minute)
				synctest.Wait()
				want, status, failed := 4, "APPROVED", 0
				if bad {
					want, status, failed = 2, "PAUSED", 2
				}
				n := strings.Count(fmt.Sprint(v.told()), "status failed "+string(kabar.ReasonTemplatePaused))
				if len(v.net.Messages()) != want || v.status(d.ID) != status || n != failed {
					t.Errorf("%d sent, %s, %d failed", len(v.net.Messages()), v.status(d.ID), n)
				}
			})
		})
	}
}

// A tap on a quick reply counts for the template of the message that it answers.
func TestTemplateClicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto})
		q := draft("ask", "UTILITY", "Is the table for two right?")
		q.Components = append(q.Components, kabar.TemplateComponent{Type: "BUTTONS", Buttons: []kabar.TemplateButton{{Type: "QUICK_REPLY", Text: "Yes"}}})
		d := v.create(q)
		time.Sleep(time.Minute)
		ref, _, err := v.sendTemplate(ana, "ask")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: fmt.Sprintf("%032x", 77),
			Message: &kabar.Incoming{Content: &kabar.Button{Text: "Yes", Payload: "Yes"}, ReplyTo: wire(ref)}})
		days, err := v.e.Templates().Use(t.Context(), v.account(), d.ID, 0, kabar.DayOf(v.now()))
		if u := days[kabar.DayOf(v.now())]; err != nil || u.Clicked["Yes"] != 1 {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// A GIF is a video of up to 3.5 MB, and sent as marketing only.
func TestGIF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto})
		d := draft("dance", "MARKETING", "Look at what has come in today.")
		d.Components = append(d.Components, kabar.TemplateComponent{Type: "HEADER", Format: "GIF", Example: []byte(`{"header_url":["https://shop.example/a.mp4"]}`)})
		v.create(d)
		time.Sleep(time.Minute)
		film := golden.Sample("mp4")
		long := append(film, golden.Box("free", make([]byte, kabar.MaxGIF))...)
		for _, tt := range []struct {
			film      []byte
			marketing bool
			want      kabar.Reason
		}{{film, true, ""}, {film, false, kabar.ReasonTemplateMedia}, {long, true, kabar.ReasonTemplateMedia}} {
			m := kabar.NewMedia(kabar.KindVideo)
			m.ID, m.GIF = v.put(string(tt.film), "video/mp4"), true
			_, _, err := v.send(engine.Request{To: ana, Marketing: tt.marketing, Content: &kabar.Template{Name: "dance", Language: kabar.Language{Code: "en"},
				Components: []kabar.Component{{Type: kabar.ComponentHeader, Parameters: []kabar.Parameter{{Type: kabar.ParameterGIF, Media: m}}}}}})
			var got kabar.Reason
			if refused, ok := errors.AsType[*kabar.Error](err); ok {
				got = refused.Reason
			}
			if got != tt.want || got == "" && err != nil {
				t.Errorf("%d bytes, marketing %v: %v, want %q", len(tt.film), tt.marketing, err, tt.want)
			}
		}
	})
}

// BenchmarkTemplateSend compares accepting a template with accepting a text, one after the other in one run.
func BenchmarkTemplateSend(b *testing.B) {
	v := newEnv(b)
	if err := v.e.Accounts().ImportRates(b.Context(), rates.Default(), "test"); err != nil { // what costs is reserved
		b.Fatal(err)
	}
	to := func(i int64) string { return fmt.Sprintf("34600%06d", i%64) }
	for i := range int64(64) {
		v.hear(to(i), "Hello") // so that texts may go
	}
	var next atomic.Int64
	for _, kind := range []string{"text", "template", "text-again", "template-again"} {
		b.Run(kind, func(b *testing.B) {
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					var c kabar.Content = &kabar.Text{Body: "Your order 1042 has been sent and arrives soon."}
					if strings.HasPrefix(kind, "template") {
						c = &kabar.Template{Name: "hello", Language: kabar.Language{Code: "en"}, Components: []kabar.Component{{Type: kabar.ComponentBody,
							Parameters: []kabar.Parameter{{Type: kabar.ParameterText, Text: "Ana"}}}}}
					}
					_, err := v.e.Send(b.Context(), v.id, engine.Request{To: to(next.Add(1)), Content: c,
						Answer: func(m *kabar.Message, _ kabar.Customer) (int, []byte, error) {
							body, err := json.Marshal(m.Ref)
							return 201, body, err
						}})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
