package store_test

import (
	"cmp"
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// schema1 returns a store of schema 1: what kabar dev of that time had made of two texts, one each way, and a webhook that
// nobody answered; and jobs that it had not done. On PostgreSQL it holds the same rows. No other migration has run in it.
func schema1(t *testing.T, s *storetest.Env) store.Options {
	t.Helper()
	lite := store.Options{Path: filepath.Join(t.TempDir(), "kabar.db")}
	lite.Master = schema1Key(t)
	packed, err := os.Open("testdata/schema1.sqlite.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	image, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lite.Path, image, 0o600); err != nil {
		t.Fatal(err)
	}
	rawExec(t, lite, schema1Jobs)
	if s.Database == "sqlite" {
		return lite
	}
	o := s.Fresh(t)
	o.Master = lite.Master
	text, err := os.ReadFile("migrations/0001_first.sql")
	if err != nil {
		t.Fatal(err)
	}
	rawExec(t, o, string(text)+"CREATE TABLE schema_version (number BIGINT NOT NULL)")
	copyRows(t, lite, o)
	return o
}

// schema1Jobs are jobs of the conversation, one of them a fetch, and one of a conversation without messages.
const schema1Jobs = `
	INSERT INTO job SELECT 900, account_id, number_id, id, 'send', 0, 0, 0, 0, '' FROM conversation LIMIT 1;
	INSERT INTO job SELECT 901, account_id, number_id, conversation_id, 'fetch', 0, 0, 0, 0, '' FROM job WHERE id = 900;
	INSERT INTO job SELECT 902, account_id, number_id, conversation_id, 'receipt', 0, 0, 0, 0, '' FROM job WHERE id = 900;
	INSERT INTO job SELECT 903, account_id, number_id, conversation_id, 'send', 0, 0, 0, 0, '' FROM job WHERE id = 900;
	INSERT INTO job SELECT 904, account_id, number_id, 77, 'retry', 0, 0, 0, 0, '' FROM job WHERE id = 900`

// schema1Key is the master key of that store. It protects nothing else. A checkout does not keep a file's mode.
func schema1Key(t *testing.T) secrets.Key {
	t.Helper()
	text, err := os.ReadFile("testdata/schema1.key")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := secrets.LoadMasterKey(file)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// copyRows copies every row of every table.
func copyRows(t *testing.T, from, to store.Options) {
	t.Helper()
	source := raw(t, from)
	target, err := raw(t, to).Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range column(t, source, "SELECT name FROM sqlite_schema WHERE type = 'table'") {
		copyTable(t, source, target, table)
	}
	if err := target.Commit(); err != nil {
		t.Fatal(err)
	}
}

func copyTable(t *testing.T, source *sql.DB, target *sql.Tx, table string) {
	t.Helper()
	names := column(t, source, "SELECT name FROM pragma_table_info('"+table+"')")
	places := make([]string, len(names))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ", "), strings.Join(places, ", "))
	rows, err := source.Query("SELECT * FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Exec(insert, values...); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// column returns the texts of a query with one column.
func column(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// checkSchema1 opens the store, brings it up to date if it is not, and reads everything back.
func checkSchema1(t *testing.T, o store.Options) {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	numbers, err := db.Numbers(t.Context())
	if err != nil || len(numbers) != 1 || numbers[0].Digits != "628111000200" || numbers[0].Profile.Name != "Kabar Coffee" {
		t.Fatalf("Numbers = %+v, %v", numbers, err)
	}
	n := numbers[0].ID
	if w, err := db.Account(t.Context(), numbers[0].Account); err != nil || w.Verification != (kabar.Verification{State: kabar.Verified}) {
		t.Errorf("its account is %+v, %v", w, err)
	}
	c, err := db.FindConversation(t.Context(), n, "34600111222")
	if err != nil {
		t.Fatal(err)
	}
	talk, err := db.History(t.Context(), n, c.ID, 0, 10)
	var said []string
	for _, m := range talk {
		said = append(said, fmt.Sprint(m.Direction, " ", m.Content.(*kabar.Text).Body))
	}
	if want := []string{"1 We do.", "2 Do you have oat milk?"}; err != nil || c.Customer.Name != "Ana" || !slices.Equal(said, want) {
		t.Errorf("%s and we said %q, %v; want %q", c.Customer.Name, said, err, want)
	}
	for lane, want := range map[kabar.ConversationID][]int64{c.ID: {900, 902, 903}, 77: {904}} {
		if got, err := db.Lane(t.Context(), n, lane, 10); err != nil || !slices.Equal(got, want) {
			t.Errorf("the lane of conversation %d is %v, %v; want %v", lane, got, err, want)
		}
	}
	checkAccess(t, db, n)
}

// checkAccess reads what opens the APIs, and what a webhook and a driver remember.
func checkAccess(t *testing.T, db *store.DB, n kabar.NumberID) {
	t.Helper()
	const id = "88332c6efb13a43800cede485124dd843b5cbebb89097c7df2f8f7a29c09792e"
	if k, err := db.Key(t.Context(), id); err != nil || k.Label != "the operator of kabar dev" || !k.Revoked.IsZero() || !k.Expires.IsZero() || k.Hint != "" {
		t.Errorf("Key = %+v, %v", k, err)
	}
	if u, err := db.Users(t.Context()); err != nil || len(u) != 1 || u[0].Name != "admin" || u[0].Hash == "" {
		t.Errorf("Users = %+v, %v", u, err)
	}
	made := func() []byte { t.Error("a new key of tokens is made"); return nil }
	if key, err := db.Secret(t.Context(), "auth/jwt", made); err != nil || len(key) != 32 {
		t.Errorf("the key of tokens has %d bytes, %v", len(key), err)
	}
	if invite, err := db.Invite(t.Context(), n); invite != "" || err != nil {
		t.Errorf("Invite = %q, %v", invite, err)
	}
	if all, err := db.Endpoints(t.Context(), n); err != nil || len(all) != 1 || all[0].URL != "http://127.0.0.1:9/hook" {
		t.Errorf("Endpoints = %+v, %v", all, err)
	}
	if all, err := db.Events(t.Context(), n, 0, 10); err != nil || len(all) != 3 {
		t.Errorf("%d events, %v; want 3", len(all), err)
	}
}

// raw opens a database behind the store's back.
func raw(t *testing.T, o store.Options) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if o.URL != "" {
		driver = "pgx"
	}
	db, err := sql.Open(driver, cmp.Or(o.URL, o.Path))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxIdleConns(0) // what a store is opened on afterwards has no other user
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func rawExec(t *testing.T, o store.Options, text string) {
	t.Helper()
	if _, err := raw(t, o).Exec(text); err != nil {
		t.Fatal(err)
	}
}

func rawNumber(t *testing.T, o store.Options, text string) (n int64) {
	t.Helper()
	if err := raw(t, o).QueryRow(text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
