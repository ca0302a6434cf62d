package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"kabar/internal/kms"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// masterFlags say where the master key is: in one of three places, and in the first of them plain or wrapped.
type masterFlags struct {
	MasterKeyFile       string `name:"master-key-file" help:"File with the master key, readable by its owner only. kabar key master makes one." type:"path" placeholder:"FILE" alternative:"master key"`
	MasterKeyKMS        string `name:"master-key-kms" help:"What unwraps the master key file: age: and the path of an age identity file." placeholder:"age:FILE"`
	MasterKeyCredential string `name:"master-key-credential" help:"Name of the systemd credential that holds the master key file (LoadCredential=)." placeholder:"NAME" alternative:"master key"`
	MasterKeyEnv        string `name:"master-key-env" help:"Name of an environment variable with the master key in base64. It can be read by more than a file: prefer the others." placeholder:"NAME" alternative:"master key"`
}

// variableForm is what names of environment variables are made of; a key in base64 is longer, or has other characters.
var variableForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

// AfterApply is called by kong, which cannot make the path in a URI absolute by itself.
func (f *masterFlags) AfterApply() (err error) {
	if f.MasterKeyEnv != "" && !variableForm.MatchString(f.MasterKeyEnv) {
		return errors.New("--master-key-env: want the name of an environment variable, not the key itself")
	}
	f.MasterKeyKMS, err = absoluteKMS(f.MasterKeyKMS)
	return err
}

// absoluteKMS makes the path in a URI absolute, as kong does with paths: the running server, which may be handed it, has
// another working directory.
func absoluteKMS(uri string) (string, error) {
	path, ok := strings.CutPrefix(uri, "age:")
	switch {
	case uri == "":
		return "", nil
	case !ok || path == "":
		return "", fmt.Errorf("--master-key-kms %s: want age: and the path of an age identity file", uri)
	}
	return "age:" + kong.ExpandPath(path), nil
}

// load reads the master key from the one place that is given.
func (f *masterFlags) load(ctx context.Context) (secrets.Key, error) {
	if err := f.check(); err != nil {
		return secrets.Key{}, &usageError{err}
	}
	switch {
	case f.MasterKeyCredential != "":
		return f.fromCredential()
	case f.MasterKeyEnv != "":
		return f.fromEnvironment()
	case f.MasterKeyKMS != "":
		return f.fromKMS(ctx)
	}
	return secrets.LoadMasterKey(f.MasterKeyFile)
}

var errNoMasterKey = errors.New("what is stored is encrypted under a master key, and none is given.\n" +
	"To make one: kabar key master master.key\nThen give --master-key-file master.key (or --master-key-credential, --master-key-env)")

// loadFor is load for a store that may be there: then another key is of no use, and it is said which one is.
func (f *masterFlags) loadFor(ctx context.Context, d *databaseFlags) (secrets.Key, error) {
	key, err := f.load(ctx)
	if !errors.Is(f.check(), errNoMasterKey) {
		return key, err
	}
	o, missing := d.place(secrets.Key{})
	if missing != nil {
		return key, err
	}
	id, unknown := store.SealedUnder(ctx, o)
	if unknown != nil { // the database does not answer, or was never used
		return key, err
	}
	hint := "give its file with --master-key-file (or --master-key-credential, --master-key-env)"
	if file := filepath.Join(filepath.Dir(d.Data), "keys", "master.key"); filepath.Base(d.Data) == "server" {
		if _, err := os.Stat(file); err == nil {
			hint = "kabar dev keeps it in a file: give --master-key-file " + file
		}
	}
	return key, &usageError{fmt.Errorf("the store of %s is sealed under the master key %s, and none is given;\n%s", d.Data, id, hint)}
}

// check refuses none and more than one.
func (f *masterFlags) check() error {
	var given []string
	for _, flag := range []struct{ name, value string }{{"--master-key-file", f.MasterKeyFile},
		{"--master-key-credential", f.MasterKeyCredential}, {"--master-key-env", f.MasterKeyEnv}} {
		if flag.value != "" {
			given = append(given, flag.name)
		}
	}
	switch {
	case len(given) > 1:
		return fmt.Errorf("the master key is in one place: give one of %s", strings.Join(given, ", "))
	case f.MasterKeyKMS != "" && f.MasterKeyFile == "":
		return errors.New("--master-key-kms unwraps a file: give it with --master-key-file")
	case len(given) == 0:
		return errNoMasterKey
	}
	return nil
}

// caution warns of a place that should be another one.
func (f *masterFlags) caution(log *slog.Logger) {
	if f.MasterKeyEnv != "" {
		log.Warn("the master key is in an environment variable, which child processes inherit and which process listings, crash reports "+
			"and container inspection show; a file, a systemd credential or a KMS keeps it better", "variable", f.MasterKeyEnv)
	}
}

func (f *masterFlags) fromCredential() (secrets.Key, error) {
	name := f.MasterKeyCredential
	if name != filepath.Base(name) || name == "." || name == ".." {
		return secrets.Key{}, &usageError{fmt.Errorf("--master-key-credential %s: want the name of a credential, not a path", name)}
	}
	dir := os.Getenv(secrets.CredentialsVariable)
	if dir == "" {
		return secrets.Key{}, fmt.Errorf("--master-key-credential %s: $%s is not set: systemd gives the credential to the service only "+
			"(LoadCredential=%s:/path/to/master.key in its unit). A command reaches a server that runs without the key; for one that is stopped "+
			"give --master-key-file FILE, which comes before the configuration", name, secrets.CredentialsVariable, name)
	}
	key, err := secrets.LoadMasterKey(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return key, fmt.Errorf("--master-key-credential %s: systemd has passed no credential of that name: "+
			"put LoadCredential=%s:/path/to/master.key (or LoadCredentialEncrypted=) into the [Service] section of the unit", name, name)
	}
	return key, err
}

func (f *masterFlags) fromEnvironment() (secrets.Key, error) {
	if strings.HasPrefix(f.MasterKeyEnv, envPrefix) {
		return secrets.Key{}, &usageError{fmt.Errorf("--master-key-env %s: names with %s are for flags; choose another one", f.MasterKeyEnv, envPrefix)}
	}
	text := os.Getenv(f.MasterKeyEnv)
	if text == "" {
		return secrets.Key{}, fmt.Errorf("--master-key-env %s: the variable is not set; it holds the second line of a master key file (kabar key master FILE)", f.MasterKeyEnv)
	}
	key, err := secrets.ParseMasterKey(text)
	if err != nil {
		return key, fmt.Errorf("--master-key-env %s: %w", f.MasterKeyEnv, err)
	}
	return key, nil
}

func (f *masterFlags) fromKMS(ctx context.Context) (secrets.Key, error) {
	driver, err := kms.Open(f.MasterKeyKMS)
	if err != nil {
		return secrets.Key{}, fmt.Errorf("--master-key-kms: %w", err)
	}
	key, err := secrets.LoadWrappedMasterKey(ctx, f.MasterKeyFile, driver)
	if errors.Is(err, fs.ErrNotExist) {
		return key, fmt.Errorf("%w; to make one: kabar key master %q --master-key-kms %q", err, f.MasterKeyFile, f.MasterKeyKMS)
	}
	return key, err
}
