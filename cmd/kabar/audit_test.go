package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/auth"
	"kabar/internal/manage"
	"kabar/internal/secrets"
	"kabar/internal/sqlite"
	"kabar/internal/store"
)

// What commands do stands in the log, which kabar audit shows and verifies; of one that somebody has changed it ends with a
// status, and names the entry.
func TestAuditCommands(t *testing.T) {
	dir := t.TempDir()
	file, path := filepath.Join(dir, "master.key"), filepath.Join(dir, "kabar.db")
	master, err := secrets.CreateMasterKey(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Path: path, Master: master})
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	kabar := func(status int, args ...string) string {
		t.Helper()
		var out, fault bytes.Buffer
		args = append(args, "--data", dir, "--master-key-file", file)
		if got := run(t.Context(), args, nil, streams{&out, &fault}); got != status {
			t.Fatalf("kabar %s: status %d, want %d\n%s%s", strings.Join(args, " "), got, status, &out, &fault)
		}
		return out.String() + fault.String()
	}
	kabar(0, "number", "add", "628111000200", "--name", "Toko Satu")
	kabar(0, "user", "add", "reports")
	kabar(2, "user", "add", "reports")
	kabar(0, "key", "create", "--role", "auditor", "--label", "books")
	var all []manage.Entry
	if err := json.Unmarshal([]byte(kabar(0, "audit", "list", "--json")), &all); err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	for i, want := range []string{"key.added ok key/", "user.added ok user/reports", "number.added ok number/628111000200"} {
		e := all[i]
		if got := e.Action + " " + e.Result + " " + e.Subject; !strings.HasPrefix(got, want) || e.Actor != "operator" || e.Result == "ok" && e.Account == "" {
			t.Errorf("entry %d: %+v, want %q", e.Seq, e, want)
		}
	}
	if text := kabar(0, "audit", "list", "--account", "Toko Satu", "--before", "3", "--limit", "1"); !strings.Contains(text, "user/reports") || strings.Contains(text, "number/") {
		t.Errorf("%s", text)
	}
	whole := kabar(0, "audit", "verify")
	_, end, _ := strings.Cut(strings.TrimSpace(whole), "The end is ")
	if !strings.Contains(whole, "3 entries. All of them are as they were written.") {
		t.Errorf("%s", whole)
	}
	kabar(0, "key", "add", "--label", "more")
	kabar(0, "audit", "verify", "--seen", end)
	kabar(1, "audit", "verify", "--seen", "2:"+strings.Repeat("0", 32))
	raw, err := sqlite.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = raw.Conn.Exec("UPDATE audit SET subject = 'user/somebody' WHERE seq = 2"); err != nil || raw.Close() != nil {
		t.Fatal(err)
	}
	if text := kabar(1, "audit", "verify"); !strings.Contains(text, "Entry 2 was changed") || !strings.Contains(text, "somebody has changed the database") || strings.Contains(text, "Entry 3") {
		t.Errorf("%s", text)
	}
}

// An auditor reads the account's log page by page, and nobody else's.
func TestAuditAPI(t *testing.T) {
	s := newProbed(t)
	a, b := s.tenant(t, "628111000300", "Aksara"), s.tenant(t, "628111000400", "Batik")
	auditor := auth.NewKey()
	if err := s.auth.AddKey(t.Context(), auditor, auth.Grant{Account: a.number.Account, Role: "auditor"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if w := s.ask(http.MethodPost, "/kabar/v1/keys", a.owner, `{"role":"agent"}`); w.Code != http.StatusCreated {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	s.ask(http.MethodPost, "/kabar/v1/keys", b.owner, `{"role":"agent"}`)
	s.ask(http.MethodPost, "/kabar/v1/keys", a.owner, `{"role":"king"}`)
	s.ask(http.MethodPatch, "/v1/settings/application", a.numberOwner, `{"webhooks":{"url":"https://8.8.8.8/secret"}}`)
	var got []manage.Entry
	for after := ""; ; {
		w := s.ask(http.MethodGet, "/kabar/v1/audit?limit=2"+after, auditor, "")
		var page struct {
			Data  []manage.Entry
			After string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK || len(page.Data) == 0 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		got = append(got, page.Data...)
		if page.After == "" {
			break
		}
		after = "&after=" + page.After
	}
	want := []string{"settings.changed ok", "key.added refused 400", "key.added ok", "key.added ok", "key.added ok", "console.login ok", "number.added ok"}
	if len(got) != len(want) {
		t.Fatalf("%d entries: %+v", len(got), got)
	}
	for i, e := range got {
		if e.Action+" "+e.Result != want[i] || e.Account != a.ids["account"] || e.Source == "" {
			t.Errorf("%+v, want %s", e, want[i])
		}
	}
	if got[0].Actor != "key "+auth.KeyID(a.numberOwner)[:12] || string(got[0].Detail) != `{"webhook":"https://8.8.8.8"}` {
		t.Errorf("%+v", got[0])
	}
	for query, status := range map[string]int{"?limit=0": 400, "?limit=101": 400, "?after=x": 400, "?before=1": 400, "?account=" + b.ids["account"]: 404, "?account=" + a.ids["account"]: 200} {
		if w := s.ask(http.MethodGet, "/kabar/v1/audit"+query, auditor, ""); w.Code != status {
			t.Errorf("%s: %d %s, want %d", query, w.Code, w.Body, status)
		}
	}
	if w := s.ask(http.MethodGet, "/kabar/v1/audit", a.numberOwner, ""); w.Code != http.StatusForbidden {
		t.Errorf("a key of one number: %d %s", w.Code, w.Body)
	}
}
