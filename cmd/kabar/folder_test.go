package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A data folder belongs to one program. What somebody else keeps in a folder that was named by mistake is left alone.
func TestClaim(t *testing.T) {
	for _, c := range []struct {
		name, program string
		files         []string
		want          string // in the error; empty: none
	}{
		{"new", "serve", nil, ""},
		{"of a file system", "serve", []string{"lost+found/", ".hidden"}, ""},
		{"from before there was a mark", "serve", []string{"kabar.db", "tls/", "media/"}, ""},
		{"with PostgreSQL, from before", "serve", []string{"media/", "tls/"}, ""},
		{"a relay's, from before", "relay", []string{"relay.db", "blobs/"}, ""},
		{"another program's, from before", "serve", []string{"relay.db", "blobs/"}, "not empty (relay.db)"},
		{"of kabar dev, from before", "dev", []string{"keys/master.key", "server/", "clock.json"}, ""},
		{"of kabar dev, cut short", "dev", []string{"relay/relay.db"}, ""},
		{"a server's, from before", "dev", []string{"kabar.db", "media/"}, "none of kabar dev"},
		{"with keys of somebody", "dev", []string{"keys/id_rsa"}, "not empty (keys)"},
		{"somebody's own", "serve", []string{"tmp/precious"}, "not empty (tmp)"},
		{"somebody's own", "phone", []string{"notes.txt"}, "none of kabar phone"},
	} {
		dir := filepath.Join(t.TempDir(), "data")
		for _, f := range c.files {
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o700); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(f, "/") {
				if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		err := claim(dir, c.program)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if c.want != "" {
			continue
		}
		if err := claim(dir, c.program); err != nil {
			t.Errorf("%s, again: %v", c.name, err)
		}
		if err := claim(dir, "other"); err == nil || !strings.Contains(err.Error(), "a folder of kabar "+c.program) {
			t.Errorf("%s, by another program: %v", c.name, err)
		}
	}
}
