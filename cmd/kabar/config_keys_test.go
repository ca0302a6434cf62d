package main

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// proof shows from outside what some keys of some programs do: it runs the program with them, and mostly without them, too.
type proof struct {
	programs string
	keys     string
	prove    func(p *prover)
}

// proofs has every key of every program. Where a program of its own would show nothing more, keys share one.
var proofs = []proof{
	{"serve", "master-key-file master-key-env master-key-credential master-key-kms", proveMasterKeys}, // alone: it sets variables
	{"serve relay phone", "config data addr debug-addr host", proveAnswers},
	{"serve relay phone", "log-level log-format log-numbers", proveLog},
	{"serve relay phone", "tls-cert tls-key hsts", proveCertificate},
	{"serve relay phone", "acme-domain acme-email acme-directory acme-accept-terms", proveACME},
	{"serve relay phone", "allow-plain-http", provePlainHTTP},
	{"serve", "database database-password-file database-connections", proveDatabase},
	{"serve", "relay number name", proveNumber},
	{"serve phone", "relay-ca", proveRelayCA},
	{"serve phone", "allow-plain-relay", provePlainRelay},
	{"serve", "invite invite-file allow-inline-secrets", proveBusinessInvite},
	{"serve", "api-key api-key-file", proveMonitorKey},
	{"serve", "drain-time", proveDrainTime},
	{"serve", "egress-allow", proveEgress},
	{"serve", "backup-dir", proveBackupDir},
	{"relay", "open-registration limit-registrations", proveRegistration},
	{"relay", "limit-business-envelopes limit-customer-envelopes", proveEnvelopes},
	{"relay", "mailbox keep", proveMailbox},
	{"relay", "blob-space", proveBlobSpace},
	{"phone", "relay invite invite-file allow-inline-secrets", proveHostInvite},
	{"phone", "business token-file", provePhonePage},
}

// prover is a proof at work. It notes which keys it has shown.
type prover struct {
	*testing.T
	program string
	shown   map[string]bool
}

// shows fails the test unless the effect of a key is there.
func (p *prover) shows(key string, ok bool, format string, args ...any) {
	p.Helper()
	p.shown[key] = true
	if !ok {
		p.Errorf(key+": "+format, args...)
	}
}

// Every key of every program does what its sample says. A key without a row fails this test, and so does a row that forgets one
// of its keys.
func TestEveryKeyShowsItsEffect(t *testing.T) {
	for _, row := range proofs {
		for program := range strings.FieldsSeq(row.programs) {
			t.Run(program+" "+row.keys, func(t *testing.T) {
				if !strings.HasPrefix(row.keys, "master-key") {
					t.Parallel()
				}
				p := &prover{T: t, program: program, shown: map[string]bool{}}
				row.prove(p)
				if t.Failed() || t.Skipped() {
					return
				}
				for key := range strings.FieldsSeq(row.keys) {
					if !p.shown[key] {
						t.Errorf("kabar %s: nothing was shown of %s", program, key)
					}
				}
			})
		}
	}
	proven := map[string][]string{}
	for _, row := range proofs {
		for program := range strings.FieldsSeq(row.programs) {
			proven[program] = append(proven[program], strings.Fields(row.keys)...)
		}
	}
	for _, program := range programs {
		keys := append(programKeys(t, program), "config")
		for _, key := range keys {
			if !slices.Contains(proven[program], key) {
				t.Errorf("kabar %s: no proof of the key %s", program, key)
			}
		}
		for _, key := range proven[program] {
			if !slices.Contains(keys, key) {
				t.Errorf("kabar %s: there is a proof of %s, which is no key", program, key)
			}
		}
	}
}

// programs are those that have a configuration file.
var programs = []string{"serve", "relay", "phone"}

// programFlags returns the flags that can be keys in the file of a program: those of the program and of every command that
// reads the same file. One that only lets secrets in is no key of a program that has none.
func programFlags(t *testing.T, program string) map[string]*kong.Flag {
	t.Helper()
	conf, _, err := parse(append([]string{program}, needed(program)...), nil, streams{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	name, keys := programOf(conf.k)
	if name != program {
		t.Fatalf("kabar %s reads the file of %s", program, name)
	}
	flags, secrets := map[string]*kong.Flag{}, false
	for _, f := range allFlags(conf.k.Model.Node) {
		if slices.Contains(keys, f.Name) && f.Name != "config" {
			flags[f.Name] = f
		}
	}
	for _, f := range conf.k.Flags() { // those of the program itself, where another command has one of the same name
		if flags[f.Name] != nil {
			flags[f.Name] = f
			secrets = secrets || f.Tag.Has(tagSecret)
		}
	}
	if !secrets {
		delete(flags, "allow-inline-secrets")
	}
	return flags
}

func programKeys(t *testing.T, program string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(programFlags(t, program)))
}

// needed is what the command line of a program must have.
func needed(program string) []string {
	if program == "relay" {
		return []string{"--data", "d"}
	}
	return []string{"--data", "d", "--relay", "ws://r"}
}
