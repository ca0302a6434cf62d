package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// deeds writes n entries, several to a batch, and returns the report of the whole log.
func deeds(t *testing.T, s *storetest.Env, n int) *store.AuditReport {
	t.Helper()
	var ops []storetest.Op
	each := 1 + n/500 // a batch has 512 operations at most
	for i := 0; i < n; i += each {
		ops = append(ops, storetest.Op{Do: func(tx *store.Tx) error {
			for at := i; at < min(i+each, n); at++ {
				err := tx.AddAudit(&store.Audit{Account: s.A.Account, At: s.Now, Actor: "operator", Action: "test.done", Subject: fmt.Sprintf("thing/%d", at)})
				if err != nil {
					return err
				}
			}
			return nil
		}})
	}
	for _, err := range s.Batch(t, ops...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return verified(t, s, "")
}

func verified(t *testing.T, s *storetest.Env, seen string) *store.AuditReport {
	t.Helper()
	r, err := s.DB.VerifyAudit(t.Context(), seen, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func faults(r *store.AuditReport) (all string) {
	for _, f := range r.Faults {
		all += fmt.Sprintf("%d %s; ", f.Seq, f.What)
	}
	return all
}

// Whoever changes the database by hand is found, and what they have changed is named.
func TestAuditTampering(t *testing.T) {
	for name, tt := range map[string]struct {
		by   string // statements
		want string // of the faults, in order
	}{
		"nothing":               {"", ""},
		"a text changed":        {"UPDATE audit SET actor = 'somebody' WHERE seq = 5", "5 was changed"},
		"a time changed":        {"UPDATE audit SET at = at + 1 WHERE seq = 5", "5 was changed"},
		"an account changed":    {"UPDATE audit SET account_id = account_id + 1 WHERE seq = 1", "1 was changed"},
		"the last one changed":  {"UPDATE audit SET result = 'refused' WHERE seq = 12", "12 was changed"},
		"texts shifted":         {"UPDATE audit SET actor = 'opera', action = 'tortest.done' WHERE seq = 5", "5 was changed"},
		"one removed":           {"DELETE FROM audit WHERE seq = 5", "5 is missing"},
		"the first removed":     {"DELETE FROM audit WHERE seq = 1", "1 is missing"},
		"several removed":       {"DELETE FROM audit WHERE seq IN (5, 6, 9)", "5 is missing, and so are those up to 6; 9 is missing"},
		"the end cut off":       {"DELETE FROM audit WHERE seq > 10", "11 is missing, and so are those up to 12"},
		"all removed":           {"DELETE FROM audit", "1 is missing, and so are those up to 12"},
		"two exchanged":         {"UPDATE audit SET seq = CASE seq WHEN 5 THEN 6 ELSE 5 END WHERE seq IN (5, 6)", "5 was changed; 6 was changed"},
		"renumbered":            {"DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5", "5 was changed; 12 is missing"},
		"one put in":            {"INSERT INTO audit SELECT 1, account_id, at, actor, 'test.forged', subject, body, seq, source, result, mac FROM audit WHERE seq = 5", "5 stands beside another"},
		"one put outside":       {"INSERT INTO audit SELECT 1, account_id, at, actor, action, subject, body, 0, source, result, mac FROM audit WHERE seq = 5", "0 stands outside"},
		"one put behind":        {"INSERT INTO audit SELECT 1, account_id, at, actor, action, subject, body, 13, source, result, mac FROM audit WHERE seq = 5", "13 stands outside"},
		"the end removed":       {"DELETE FROM meta WHERE name = 'audit-end'", "stands outside"},
		"the MAC copied":        {"UPDATE audit SET mac = (SELECT mac FROM audit a WHERE a.seq = 4) WHERE seq = 5", "5 was changed; 6 was changed"},
		"removed and renamed":   {"DELETE FROM audit WHERE seq = 12; UPDATE audit SET seq = 12 WHERE seq = 11", "11 is missing"},
		"the key made anew":     {"DELETE FROM meta WHERE name IN ('secret/audit', 'audit-end')", ""}, // found by --seen: below
		"an id changed":         {"UPDATE audit SET id = 3 WHERE seq = 5", "5 was changed"},
		"a detail put in":       {"UPDATE audit SET body = '{}' WHERE seq = 7", "7 was changed"},
		"where from, forgotten": {"UPDATE audit SET source = 'elsewhere' WHERE seq = 7", "7 was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
				whole := deeds(t, s, 12)
				if len(whole.Faults) > 0 || whole.Entries != 12 {
					t.Fatalf("before: %+v", whole)
				}
				s.Close(t)
				for statement := range strings.SplitSeq(tt.by, "; ") {
					if statement != "" {
						rawExec(t, s.Options, statement)
					}
				}
				s.Reopen(t)
				got := verified(t, s, "")
				at := faults(got)
				for want := range strings.SplitSeq(tt.want, "; ") {
					i := strings.Index(at, want)
					if i < 0 {
						t.Fatalf("found %q, want %q in it", faults(got), want)
					}
					at = at[i+len(want):]
				}
				if (tt.want == "") != (len(got.Faults) == 0) {
					t.Errorf("found %q", faults(got))
				}
				if name != "nothing" && tt.want == "" && len(verified(t, s, whole.End).Faults) == 0 {
					t.Error("the log holds the end that it had before")
				}
			})
		})
	}
}

// The log goes on after a restart and a new master key, and holds every end that it has had.
func TestAuditChainGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		first := deeds(t, s, 3)
		s.Reopen(t)
		second := deeds(t, s, 4)
		next := secrets.NewKey()
		if err := s.DB.Rotate(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		s.Options.Master = next
		third := deeds(t, s, 2)
		s.Reopen(t)
		for _, seen := range []string{"", first.End, second.End, third.End} {
			if r := verified(t, s, seen); len(r.Faults) > 0 || r.Entries != 9 || r.End != third.End {
				t.Errorf("with %q: %+v", seen, r)
			}
		}
		if r := verified(t, s, "9:00112233445566778899aabbccddeeff"); len(r.Faults) != 1 || !strings.Contains(faults(r), "replaced by another") {
			t.Errorf("an end that never was: %+v", r)
		}
		all, err := s.DB.AuditLog(t.Context(), s.A.Account, 8, 3)
		if err != nil || len(all) != 3 || all[0].Seq != 7 || all[2].Seq != 5 || all[0].Result != store.AuditOK {
			t.Errorf("%+v, %v", all, err)
		}
		if all, err = s.DB.AuditLog(t.Context(), s.B.Account, 0, 3); err != nil || len(all) != 0 {
			t.Errorf("of another account: %+v, %v", all, err)
		}
	})
}

// More entries than are read at once.
func TestAuditOfManyPages(t *testing.T) {
	s := storetest.Open(t, "sqlite")
	whole := deeds(t, s, 2500)
	var told []int64
	r, err := s.DB.VerifyAudit(t.Context(), whole.End, func(done, total int64) { told = append(told, done, total) })
	if err != nil || len(r.Faults) > 0 || r.Entries != 2500 || fmt.Sprint(told) != "[1000 2500 2000 2500]" {
		t.Errorf("%+v, %v, %v", r, told, err)
	}
	s.Close(t)
	rawExec(t, s.Options, "UPDATE audit SET subject = '' WHERE seq IN (1000, 1001, 2500)")
	s.Reopen(t)
	if r := verified(t, s, ""); len(r.Faults) != 3 {
		t.Errorf("%s", faults(r))
	}
}

// Entries of an earlier version are taken into the chain, once: what somebody adds later in their form stays outside.
func TestAuditOfEarlierVersions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		deeds(t, s, 3)
		s.Close(t)
		rawExec(t, s.Options, "UPDATE audit SET seq = 0, mac = '', result = ''")
		rawExec(t, s.Options, "DELETE FROM meta WHERE name IN ('secret/audit', 'audit-end')")
		s.Reopen(t)
		r := verified(t, s, "")
		all, err := s.DB.AuditLog(t.Context(), 0, 0, 10)
		if err != nil || len(r.Faults) > 0 || len(all) != 4 || all[0].Action != "audit.began" || all[0].Detail != `{"taken_over":3}` || all[3].Subject != "thing/0" {
			t.Errorf("%+v, %+v, %v", r, all, err)
		}
		s.Close(t)
		rawExec(t, s.Options, "INSERT INTO audit SELECT 1, account_id, at, actor, action, subject, body, 0, '', '', '' FROM audit WHERE seq = 1")
		s.Reopen(t)
		if r = verified(t, s, ""); len(r.Faults) != 1 || !strings.Contains(faults(r), "outside") {
			t.Errorf("%+v", r)
		}
		s.Close(t)
		rawExec(t, s.Options, "DELETE FROM audit WHERE seq = 2")
		s.Reopen(t)
		if r = verified(t, s, ""); len(r.Faults) != 2 || !strings.Contains(faults(r), "2 is missing") {
			t.Errorf("%+v", r)
		}
	})
}

type recordIs struct{}

func recordIn(ctx context.Context) *store.Record { return ctx.Value(recordIs{}).(*store.Record) }

// The entry of a request is committed with its first write, once; by hand when there was none; and not with one that is refused.
func TestRecord(t *testing.T) {
	refused := errors.New("refused")
	write := func(s *storetest.Env, ctx context.Context, do func(*store.Tx) error) error {
		return s.DB.Write(ctx, nil, do)
	}
	nothing := func(*store.Tx) error { return nil }
	something := func(tx *store.Tx) error { return tx.SetSecret("something", []byte("else")) }
	for name, tt := range map[string]struct {
		optional bool
		do       func(s *storetest.Env, ctx context.Context)
		want     string // action and result of the entries
	}{
		"refused": {false, func(*storetest.Env, context.Context) {}, ""},
		"a write": {false, func(s *storetest.Env, ctx context.Context) { _ = write(s, ctx, something) }, "asked ok"},
		"two writes": {false, func(s *storetest.Env, ctx context.Context) {
			_ = write(s, ctx, something)
			_ = write(s, ctx, something)
		}, "asked ok"},
		"a refused write": {false, func(s *storetest.Env, ctx context.Context) {
			_ = write(s, ctx, func(*store.Tx) error { return refused })
		}, ""},
		"a write of nothing": {false, func(s *storetest.Env, ctx context.Context) { _ = write(s, ctx, nothing) }, ""},
		"no write":           {false, func(s *storetest.Env, ctx context.Context) { _ = s.DB.Settle(ctx, recordIn(ctx), store.AuditOK) }, "asked ok"},
		"an entry of its own": {false, func(s *storetest.Env, ctx context.Context) {
			_ = write(s, ctx, func(tx *store.Tx) error { return tx.AddAudit(&store.Audit{At: s.Now, Action: "own"}) })
		}, "own ok"},
		"nobody noted": {true, func(s *storetest.Env, ctx context.Context) { _ = write(s, ctx, nothing) }, ""},
		"somebody noted": {true, func(_ *storetest.Env, ctx context.Context) {
			store.Note(ctx, func(a *store.Audit) { a.Subject = "noted" })
		}, "asked refused 400"},
		"a key": {false, func(s *storetest.Env, ctx context.Context) {
			_ = write(s, ctx, func(tx *store.Tx) error {
				return tx.AddKey(&store.Key{ID: strings.Repeat("ab", 32), Account: s.A.Account}, s.Now)
			})
		}, "asked ok key/abababababab"},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
				r := store.NewRecord(store.Audit{At: s.Now, Actor: "user \x00\xff", Action: "asked", Source: "192.0.2.1 " + strings.Repeat("é", 200)}, tt.optional)
				ctx := context.WithValue(store.WithRecord(t.Context(), r), recordIs{}, r)
				tt.do(s, ctx)
				for range 2 {
					if err := s.DB.Settle(ctx, r, "refused 400"); err != nil {
						t.Fatal(err)
					}
				}
				all, err := s.DB.AuditLog(t.Context(), 0, 0, 10)
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				for _, a := range all {
					got = a.Action + " " + a.Result
					if strings.HasPrefix(a.Subject, "key/") {
						got += " " + a.Subject
						if a.Account != s.A.Account {
							t.Errorf("the entry is of account %d", a.Account)
						}
					}
					if len(a.Source) > 256 || !strings.HasPrefix(a.Source, "192.0.2.1") {
						t.Errorf("source %q", a.Source)
					}
				}
				if got != tt.want || len(all) > 1 {
					t.Errorf("got %q in %d entries, want %q", got, len(all), tt.want)
				}
				if r := verified(t, s, ""); len(r.Faults) > 0 {
					t.Error(faults(r))
				}
			})
		})
	}
}

// What a webhook's address has of secrets stays out of the log.
func TestRecordOfAWebhook(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		e := &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.OnPrem}
		s.Write(t, func(tx *store.Tx) error { return tx.AddEndpoint(e, s.Now) })
		ctx := store.WithRecord(t.Context(), store.NewRecord(store.Audit{At: s.Now, Actor: "user \x00\xff", Action: "settings.changed"}, false))
		err := s.DB.Write(ctx, nil, func(tx *store.Tx) error {
			return tx.SetURL(s.A.ID, e.ID, "https://me:secret@hook.example/secret?k=secret")
		})
		if err != nil {
			t.Fatal(err)
		}
		all, err := s.DB.AuditLog(t.Context(), 0, 0, 1)
		if err != nil || len(all) != 1 || all[0].Detail != `{"webhook":"https://hook.example"}` {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
