package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The master key has one place. One that is given nearer to the person replaces those farther away: a command for a stopped
// server takes the key from a file although the server's configuration names a credential.
func TestAlternativesReplaceEachOther(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kabar.yaml")
	if err := os.WriteFile(file, []byte("data: /d\nmaster-key-credential: master.key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, environ string
		want          masterFlags
	}{
		{"", "", masterFlags{MasterKeyCredential: "master.key"}},
		{"--master-key-file /m", "", masterFlags{MasterKeyFile: "/m"}},
		{"", "KABAR_MASTER_KEY_ENV=KEY", masterFlags{MasterKeyEnv: "KEY"}},
		{"--master-key-file /m", "KABAR_MASTER_KEY_ENV=KEY", masterFlags{MasterKeyFile: "/m"}},
		{"--master-key-file /m --master-key-env KEY", "", masterFlags{MasterKeyFile: "/m", MasterKeyEnv: "KEY"}}, // both on one line: refused later
		{"--master-key-file /m --master-key-kms age:/i", "", masterFlags{MasterKeyFile: "/m", MasterKeyKMS: "age:/i"}},
	} {
		conf, settings, err := parse(append(strings.Fields("number list --config "+file), strings.Fields(c.args)...), strings.Fields(c.environ),
			streams{io.Discard, io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if got := conf.cli.Number.List.masterFlags; got != c.want {
			t.Errorf("%q %q: %+v, want %+v", c.args, c.environ, got, c.want)
		}
		var out strings.Builder
		if err := settings.print(&out, conf.k); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "master-key-credential: master.key") != (c.want.MasterKeyCredential != "") {
			t.Errorf("%q %q: printed\n%s", c.args, c.environ, out.String())
		}
	}
}
