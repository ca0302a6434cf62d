package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kabar/internal/storetest"
)

// proveDatabase gives a server a database of PostgreSQL for itself, whose user has a password and may have so many connections.
func proveDatabase(p *prover) {
	storetest.Private(p.T, func(t *testing.T, s *storetest.Env, _ *storetest.Server) {
		at, err := url.Parse(s.Options.URL)
		if err != nil {
			t.Fatal(err)
		}
		const password = "swordfish"
		needsPassword(t, s, "shop", password)
		c := minimal(t, p.program).with(conf{"number": "628111000200", "database": "postgres://shop@/shop?host=" + at.Query().Get("host")})
		says := rejected(t, p.program, c)
		p.shows("database-password-file", strings.Contains(says, "password"), "without it: %s", says)
		c = c.with(conf{"database-password-file": textFile(t, "password", password+"\n")})
		for _, most := range []int{2, 5} {
			r := launch(t, p.program, c.with(conf{"database-connections": most}))
			seen := connections(t, s, r)
			p.shows("database-connections", seen == most, "%d: the server has %d connections under load", most, seen)
			p.shows("database-password-file", seen > 0, "with it: no connection")
			_, err := os.Stat(filepath.Join(r.data, "kabar.db"))
			p.shows("database", seen > 0 && os.IsNotExist(err), "there is a store in the data folder, too: %v", err)
			r.end()
		}
	})
}

// needsPassword makes a user and a database of one name, which ask for a password.
func needsPassword(t *testing.T, s *storetest.Env, name, password string) {
	t.Helper()
	file := s.Query(t, "SHOW hba_file")[0][0]
	rules := "local " + name + " " + name + " scram-sha-256\nlocal all all trust\n"
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil { // it is there, and stays its owner's
		t.Fatal(err)
	}
	for _, text := range []string{"SELECT pg_reload_conf()", "CREATE ROLE " + name + " LOGIN PASSWORD '" + password + "'", "CREATE DATABASE " + name + " OWNER " + name} {
		if err := s.Exec(t, text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// connections returns how many a server has after many requests at once: it keeps them for a while.
func connections(t *testing.T, s *storetest.Env, r *running) int {
	t.Helper()
	key := "Authorization: Bearer " + apiKey(t, r)
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for range 5 {
				ask(t, http.MethodGet, "http://"+r.addr+"/v1/settings/application", "", key)
				ask(t, http.MethodGet, "http://"+r.addr+"/readyz", "")
			}
		})
	}
	all.Wait()
	n, err := strconv.Atoi(s.Query(t, "SELECT count(*)::text FROM pg_stat_activity WHERE datname = 'shop'")[0][0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
