package main

import (
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"

	"kabar/internal/secrets"
)

// ageIdentity makes an identity file and returns the URI that names it.
func ageIdentity(t *testing.T) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(file, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "age:" + file
}

// sameKey says whether two keys open each other's values.
func sameKey(a, b secrets.Key) bool {
	_, err := b.Open(a.Seal([]byte("x"), nil), nil)
	return err == nil
}

func TestMasterKeySources(t *testing.T) {
	dir, uri := t.TempDir(), ageIdentity(t)
	t.Setenv(secrets.CredentialsVariable, dir)
	plain, err := secrets.CreateMasterKey(filepath.Join(dir, "plain.key"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "plain.key"))
	if err != nil {
		t.Fatal(err)
	}
	_, inBase64, _ := strings.Cut(string(text), "\n")
	t.Setenv("SHOP_MASTER_KEY", inBase64)
	wrapped, err := (&keyMasterCmd{File: filepath.Join(dir, "wrapped.key"), MasterKeyKMS: uri}).create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flags masterFlags
		want  secrets.Key
	}{
		"a file":       {masterFlags{MasterKeyFile: filepath.Join(dir, "plain.key")}, plain},
		"a credential": {masterFlags{MasterKeyCredential: "plain.key"}, plain},
		"a variable":   {masterFlags{MasterKeyEnv: "SHOP_MASTER_KEY"}, plain},
		"a KMS":        {masterFlags{MasterKeyFile: filepath.Join(dir, "wrapped.key"), MasterKeyKMS: uri}, wrapped},
	} {
		if got, err := c.flags.load(t.Context()); err != nil || !sameKey(got, c.want) {
			t.Errorf("%s: another key, or %v", name, err)
		}
		var log strings.Builder
		c.flags.caution(newLog(&log, "info"))
		if warned := strings.Contains(log.String(), "SHOP_MASTER_KEY"); warned != (name == "a variable") || strings.Contains(log.String(), strings.TrimSpace(inBase64)) {
			t.Errorf("%s: log %q", name, log.String())
		}
	}
}

func TestMasterKeyMistakes(t *testing.T) {
	dir, uri := t.TempDir(), ageIdentity(t)
	plain, wrapped := filepath.Join(dir, "plain.key"), filepath.Join(dir, "wrapped.key")
	if _, err := secrets.CreateMasterKey(plain); err != nil {
		t.Fatal(err)
	}
	if _, err := (&keyMasterCmd{File: wrapped, MasterKeyKMS: uri}).create(t.Context()); err != nil {
		t.Fatal(err)
	}
	const canary = "c2VjcmV0"
	t.Setenv("SHORT_KEY", canary)
	for _, c := range []struct {
		flags       masterFlags
		credentials string // the folder
		want        string
	}{
		{masterFlags{}, "", "kabar key master master.key"},
		{masterFlags{MasterKeyFile: plain, MasterKeyEnv: "SHORT_KEY"}, "", "give one of --master-key-file, --master-key-env"},
		{masterFlags{MasterKeyCredential: "x", MasterKeyEnv: "SHORT_KEY"}, "", "give one of --master-key-credential, --master-key-env"},
		{masterFlags{MasterKeyKMS: uri}, "", "give it with --master-key-file"},
		{masterFlags{MasterKeyFile: filepath.Join(dir, "none")}, "", "to make one: kabar key master '" + dir},
		{masterFlags{MasterKeyFile: filepath.Join(dir, "none"), MasterKeyKMS: uri}, "", "--master-key-kms \"age:"},
		{masterFlags{MasterKeyFile: wrapped}, "", "--master-key-kms"},
		{masterFlags{MasterKeyFile: plain, MasterKeyKMS: uri}, "", "leave --master-key-kms out"},
		{masterFlags{MasterKeyFile: wrapped, MasterKeyKMS: ageIdentity(t)}, "", "another identity"},
		{masterFlags{MasterKeyFile: wrapped, MasterKeyKMS: "vault:x"}, "", "want age:"},
		{masterFlags{MasterKeyCredential: "master.key"}, "", "LoadCredential=master.key:"},
		{masterFlags{MasterKeyCredential: "master.key"}, dir, "no credential of that name"},
		{masterFlags{MasterKeyCredential: "../plain.key"}, dir, "not a path"},
		{masterFlags{MasterKeyCredential: "wrapped.key"}, dir, "wrapped master key"},
		{masterFlags{MasterKeyEnv: "NO_SUCH_KEY"}, "", "NO_SUCH_KEY: the variable is not set"},
		{masterFlags{MasterKeyEnv: "SHORT_KEY"}, "", "has 6 bytes instead of 32"},
		{masterFlags{MasterKeyEnv: "KABAR_KEY"}, "", "choose another one"},
	} {
		t.Setenv(secrets.CredentialsVariable, c.credentials)
		_, err := c.flags.load(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), canary) {
			t.Errorf("%+v: %v, want %q", c.flags, err, c.want)
		}
	}
}

// A path in a URI is made absolute wherever it comes from: a running server has another working directory.
func TestMasterKeyKMSIsAbsolute(t *testing.T) {
	here, err := filepath.Abs("identity.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"user", "add", "x", "--data", "d"}, {"key", "master", "m"}} {
		c, _, err := parse(append(args, "--master-key-kms", "age:identity.txt"), nil, streams{io.Discard, io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.cli.User.Add.MasterKeyKMS + c.cli.Key.Master.MasterKeyKMS; got != "age:"+here {
			t.Errorf("%s: %q", args, got)
		}
		for _, uri := range []string{"age:", "vault:x", "/etc/identity.txt"} {
			if _, _, err := parse(append(args, "--master-key-kms", uri), nil, streams{io.Discard, io.Discard}); err == nil || !strings.Contains(err.Error(), "want age:") {
				t.Errorf("%s with %s: %v", args, uri, err)
			}
		}
	}
}

func TestKeyMaster(t *testing.T) {
	for name, uri := range map[string]string{"plain": "", "wrapped": ageIdentity(t)} {
		var out strings.Builder
		c := keyMasterCmd{File: filepath.Join(t.TempDir(), "master.key"), MasterKeyKMS: uri}
		if err := c.Run(t.Context(), streams{out: &out}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		flags := masterFlags{MasterKeyFile: c.File, MasterKeyKMS: uri}
		key, err := flags.load(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := os.ReadFile(c.File)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{key.ID(), c.File, "copy", "apart from the backups", "kabar serve --master-key-file " + c.File} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in %q", name, want, out.String())
			}
		}
		for line := range strings.Lines(string(text)) {
			if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(line)); err == nil && len(raw) > 0 && strings.Contains(out.String(), strings.TrimSpace(line)) {
				t.Errorf("%s: the key is printed", name)
			}
		}
		if info, err := os.Stat(c.File); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		if err := c.Run(t.Context(), streams{out: &out}); err == nil || !strings.Contains(err.Error(), "not overwritten") {
			t.Errorf("%s: a second time: %v", name, err)
		}
		if again, _ := os.ReadFile(c.File); string(again) != string(text) {
			t.Errorf("%s: the file was overwritten", name)
		}
	}
	missing := keyMasterCmd{File: filepath.Join(t.TempDir(), "none", "master.key")}
	if err := missing.Run(t.Context(), streams{out: &strings.Builder{}}); err == nil {
		t.Error("no error without the folder")
	}
}
