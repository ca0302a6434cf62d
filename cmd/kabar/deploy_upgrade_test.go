package main

import (
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"kabar/internal/patience"
)

// TestDeployUpgrade does "Upgrade" of docs/operations.md with a store of schema 1: what kabar dev of that time had made of two
// texts, one each way, and three events that nobody has fetched.
func TestDeployUpgrade(t *testing.T) { onBoth(t, upgrade) }

const migrateCommand = "sudo -u kabar kabar migrate --config /etc/kabar/serve.yaml"

func upgrade(t *testing.T, pg *cluster) {
	app := newApplication(t)
	m := newMachine(t, pg, app.url())
	m.older()
	m.do("sudo systemctl start kabar-relay")
	out, ok := m.try("sudo systemctl start kabar")
	if ok || !strings.Contains(out, "kabar migrate") {
		t.Fatalf("a store of an older schema: started %v, %s; want a refusal that names the command", ok, out)
	}
	m.do("sudo -u kabar kabar backup /var/lib/kabar/backup/older --config /etc/kabar/serve.yaml")
	m.do("sudo -u kabar kabar backup verify /var/lib/kabar/backup/older")
	plan := m.do(migrateCommand + " --plan")
	m.killMigration(plan)
	if out := m.do(migrateCommand); !strings.Contains(out, "it goes on behind them") {
		t.Errorf("after a kill it said %s", out)
	}
	m.do("sudo systemctl start kabar")
	m.do("sudo systemctl start kabar-phone")
	m.do("sudo -u kabar kabar status --data /var/lib/kabar/server")
	v := m.newcomer(app)
	v.arrived("after the upgrade", texts{wrote: []string{"Do you have oat milk?"}}) // it waited in the older store
	v.write("in after the upgrade, which opens the window: that of the older store has closed long ago")
	v.arrived("after the upgrade", v.all())
	v.exchange("after the upgrade", some(10))
	v.arrived("after the upgrade", v.all())
	m.do("sudo kabar restore /var/lib/kabar/backup/older --data /var/lib/kabar/proof --master-key-file /etc/kabar/master.key")
	m.until("kabar migrate --data /var/lib/kabar/proof --plan", "up to date")
}

// older gives the machine the store of an older version, and a relay where everybody may come.
func (m *machine) older() {
	m.t.Helper()
	page := readPage(m.t)
	m.follow(page, "0", false)
	m.install()
	for _, b := range page {
		switch {
		case !b.meant(m.database()) || b.section == "6":
		case b.is("edit"):
			m.edit(b)
		case b.is("postgres") && b.section == "3":
			for _, command := range b.commands() {
				m.do(command)
			}
		}
	}
	m.edit(&block{words: []string{"/etc/kabar/relay.yaml"}, text: "open-registration: true\n"})
	m.edit(&block{words: []string{"/etc/kabar/phone.yaml"}, text: "relay: wss://relay.example:9092\n" +
		"relay-ca: /var/lib/kabar/relay/tls/tls.crt\nbusiness: [\"628111000200\"]\n"})
	key, err := os.ReadFile("../../internal/store/testdata/schema1.key")
	m.must(err)
	m.must(os.WriteFile(m.path("etc/kabar/master.key"), key, 0o600))
	packed, err := os.Open("../../internal/store/testdata/schema1.sqlite.gz")
	m.must(err)
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	m.must(err)
	image, err := io.ReadAll(r)
	m.must(err)
	m.must(os.Mkdir(m.path("var/lib/kabar/server"), 0o700))
	file := m.path("var/lib/kabar/server/kabar.db")
	if m.pg != nil {
		file = m.path("older.db")
	}
	m.must(os.WriteFile(file, image, 0o600))
	if m.pg != nil {
		m.must(m.pg.take(file))
	}
}

// take copies a store of schema 1 from SQLite into the database kabar.
func (c *cluster) take(file string) error {
	schema, err := os.ReadFile("../../internal/store/migrations/0001_first.sql")
	if err != nil {
		return err
	}
	if err := c.exec("kabar", string(schema)+"CREATE TABLE schema_version (number BIGINT NOT NULL)"); err != nil {
		return err
	}
	from, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	defer from.Close()
	tables, err := rowsOf(from, "SELECT name FROM sqlite_schema WHERE type = 'table'")
	for _, t := range tables {
		if err != nil {
			return err
		}
		err = c.takeTable(from, fmt.Sprint(t[0]))
	}
	return err
}

func (c *cluster) takeTable(from *sql.DB, table string) error {
	columns, err := rowsOf(from, "SELECT name FROM pragma_table_info('"+table+"')")
	if err != nil {
		return err
	}
	names, places := make([]string, len(columns)), make([]string, len(columns))
	for i, column := range columns {
		names[i], places[i] = fmt.Sprint(column[0]), fmt.Sprintf("$%d", i+1)
	}
	rows, err := rowsOf(from, "SELECT * FROM "+table)
	for _, row := range rows {
		if err == nil {
			err = c.exec("kabar", fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ", "), strings.Join(places, ", ")), row...)
		}
	}
	return err
}

func rowsOf(db *sql.DB, query string) (all [][]any, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, values)
	}
	return all, rows.Err()
}

// killMigration kills kabar migrate between two statements. It prints a line a statement, and is held up in the middle because
// nobody reads what it prints and there is room for so much only.
func (m *machine) killMigration(plan string) {
	m.t.Helper()
	done := regexp.MustCompile(`[1-9] of them are done`)
	for wait := 300 * time.Millisecond; wait < patience.Limit; wait *= 2 {
		m.killAfter(wait, len(plan)+120) // the plan, and two or three statements
		if out := m.do(migrateCommand + " --plan"); done.MatchString(out) {
			return
		}
	}
	m.t.Fatal("the migration was never killed in the middle")
}

// killAfter runs kabar migrate, which can print so many bytes, and kills it after a while.
func (m *machine) killAfter(wait time.Duration, room int) {
	m.t.Helper()
	reader, writer, err := pipe()
	m.must(err)
	defer reader.Close()
	defer writer.Close()
	const page, pages = 4096, 16 // a pipe has so many; short writes are put into one as far as they fit
	for range pages - 1 {
		_, err := writer.Write(make([]byte, page))
		m.must(err)
	}
	_, err = writer.Write(make([]byte, page-room))
	m.must(err)
	cmd := exec.Command(m.path("usr/bin/kabar"), strings.Fields(m.moved.Replace(migrateCommand))[4:]...)
	cmd.Stdout, cmd.Stderr = writer, os.Stderr
	m.must(cmd.Start())
	time.Sleep(wait)
	m.must(cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
}

// newcomer makes what the older store does not have: a key that is known here, and the application's address.
func (m *machine) newcomer(app *application) *traffic {
	m.t.Helper()
	m.learnt["THE-KEY-THAT-WAS-PRINTED"] = regexp.MustCompile(`kbr_[A-Z2-7]+`).FindString(
		m.do("sudo -u kabar kabar key add --scopes messages,admin --label upgraded --config /etc/kabar/serve.yaml"))
	m.do(`curl -s $PHONE/api/customers -H 'Content-Type: application/json' -d '{"name":"Ana","wa_id":"34600111222"}'`)
	v := newTraffic(m, app)
	res, answer, err := v.api(http.MethodPatch, "/v1/settings/application", "", fmt.Appendf(nil, `{"webhooks":{"url":%q}}`, app.url()))
	if err != nil || res.StatusCode/100 != 2 {
		m.t.Fatalf("settings: %v %s", err, answer)
	}
	return v
}
