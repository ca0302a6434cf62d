package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"kabar/internal/patience"
)

// canary is what must not be seen.
const canary = "CANARY47XYZ"

// secretPlace is a place where a secret can stand, with whatever else is right or wrong there.
type secretPlace struct {
	programs string
	conf     conf   // on top of what a program starts with
	text     string // of the file, in place of that
	environ  []string
	args     string
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	return textFile(t, "secret", text)
}

// secretInvites are invites.
func secretInvites(t *testing.T) []secretPlace {
	return []secretPlace{
		{"serve phone", conf{"invite": "kri_" + canary}, "", nil, ""},
		{"serve phone", conf{"invite": "kri_" + canary, "allow-inline-secrets": true, "number": "628111000200"}, "", nil, ""},
		{"phone", conf{"invite": "kri_" + canary, "allow-inline-secrets": true}, "", nil, ""},
		{"serve phone", nil, "", []string{"KABAR_INVITE=kri_" + canary}, ""},
		{"serve phone", nil, "", []string{"KABAR_INVITE_FIL=kri_" + canary}, ""},
		{"serve phone", nil, "", nil, "--invite=kri_" + canary},
		{"serve phone", conf{"invite-file": secretFile(t, canary)}, "", nil, "--invite=kri_" + canary},
		{"serve phone", conf{"invite-file": secretFile(t, strings.Repeat(canary+"\n", 3))}, "", nil, ""},
		{"serve phone", nil, "invite: kri_" + canary + "\nhost: [a\n", nil, ""},
		{"serve phone", nil, "invite: 'kri_" + canary + "\n", nil, ""},
		{"serve phone", nil, "invite: kri_" + canary + "\ninvite: kri_" + canary + "\n", nil, ""},
		{"serve phone", nil, "invite: {" + canary + ": " + canary + "}\n", nil, ""},
		{"serve phone", nil, "invite: [" + canary + "]\n", nil, ""},
		{"serve phone", nil, "invite: !!int " + canary + "\n", nil, ""},
		{"serve phone", nil, "invite kri_" + canary + "\n", nil, ""},
	}
}

// secretMonitorKeys are keys of monitoring.
func secretMonitorKeys(t *testing.T) []secretPlace {
	return []secretPlace{
		{"serve", conf{"api-key": canary + canary}, "", nil, ""},
		{"serve", conf{"api-key": canary, "allow-inline-secrets": true}, "", nil, ""},
		{"serve", nil, "", []string{"KABAR_API_KEY=" + canary + canary}, ""},
		{"serve", nil, "", nil, "--api-key=" + canary + canary},
		{"serve", conf{"api-key-file": secretFile(t, canary)}, "", nil, ""},
		{"serve", conf{"api-key-file": secretFile(t, canary+" "+canary)}, "", nil, ""},
	}
}

// secretDatabases are passwords of databases.
func secretDatabases(t *testing.T) []secretPlace {
	return []secretPlace{
		{"serve", conf{"database": "postgres://shop:" + canary + "@127.0.0.1:1/shop"}, "", nil, ""},
		{"serve", conf{"database": "postgres://shop:" + canary + "@127.0.0.1:1/shop?sslmode=disable", "allow-inline-secrets": true}, "", nil, ""},
		{"serve", conf{"database": "postgres://shop@127.0.0.1:1/shop?password=" + canary, "allow-inline-secrets": true}, "", nil, ""},
		{"serve", conf{"database": "postgres://shop@127.0.0.1:1/shop?password=" + canary}, "", nil, ""},
		{"serve", conf{"database": "postgres://shop@127.0.0.1:1/shop?sslpassword=" + canary}, "", nil, ""},
		{"serve", conf{"database": "postgres://shop:" + canary + "@127.0.0.1:port/shop", "allow-inline-secrets": true}, "", nil, ""},
		{"serve", conf{"database": "postgres://shop:" + canary + "%zz@127.0.0.1/shop", "allow-inline-secrets": true}, "", nil, ""},
		{"serve", conf{"database": "postgres://shop:" + canary + "@127.0.0.1:1/shop?sslmode=perhaps", "allow-inline-secrets": true}, "", nil, ""},
		{"serve", conf{"database": "mysql://shop:" + canary + "@127.0.0.1/shop", "allow-inline-secrets": true}, "", nil, ""},
		{"serve", conf{"database": "host=127.0.0.1 user=shop password=" + canary, "allow-inline-secrets": true}, "", nil, ""},
		{"serve", conf{"database": "host=127.0.0.1 user=shop password=" + canary}, "", nil, ""},
		{"serve", conf{"database": "postgres:shop:" + canary + "@127.0.0.1:1/shop"}, "", nil, ""},
		{"serve", conf{"database": "postgres:shop:" + canary + "@127.0.0.1:1/shop", "allow-inline-secrets": true}, "", nil, ""},
		{"serve", nil, "", []string{"KABAR_DATABASE=postgres://shop:" + canary + "@127.0.0.1:1/shop"}, ""},
		{"serve", nil, "", nil, "--database=postgres://shop:" + canary + "@127.0.0.1:1/shop"},
		{"serve", conf{"database": "postgres://shop@127.0.0.1:1/shop", "database-password-file": secretFile(t, canary)}, "", nil, ""},
	}
}

// secretKeys are in files, and in the place of a name.
func secretKeys(t *testing.T) []secretPlace {
	return []secretPlace{
		{"serve", conf{"master-key-file": secretFile(t, canary)}, "", nil, ""},
		{"serve", conf{"master-key-file": secretFile(t, "kabar-master-key-1\n"+canary+"\n")}, "", nil, ""},
		{"serve", conf{"master-key-kms": "age:" + secretFile(t, "AGE-SECRET-KEY-1"+canary)}, "", nil, ""},
		{"serve", conf{"master-key-file": nil, "master-key-env": canary + "/+aGVsbG8gd29ybGQ="}, "", nil, "--log-level=error"},
		{"serve phone relay", conf{"tls-cert": signedFiles(t, "off").TLSCert, "tls-key": secretFile(t, "-----BEGIN PRIVATE KEY-----\n"+canary+"\n-----END PRIVATE KEY-----\n")}, "", nil, ""},
		{"serve phone", conf{"relay-ca": secretFile(t, canary)}, "", nil, ""},
		{"phone", conf{"token-file": secretFile(t, canary)}, "", nil, ""},
		{"phone", conf{"token-file": secretFile(t, strings.Repeat(canary, 3))}, "", nil, ""},
	}
}

// secretURLs are in URLs that have no need for one.
func secretURLs() []secretPlace {
	return []secretPlace{
		{"serve phone", conf{"relay": "wss://shop:" + canary + "@127.0.0.1:1", "number": "628111000200"}, "", nil, ""},
		{"phone", conf{"relay": "wss://shop:" + canary + "@127.0.0.1:1"}, "", nil, ""},
		{"serve phone relay", conf{"acme-domain": []string{"a.example"}, "acme-accept-terms": true, "acme-directory": "http://shop:" + canary + "@127.0.0.1:1/"}, "", nil, ""},
		{"serve phone relay", conf{"acme-domain": []string{"a.example"}, "acme-directory": "https://shop:" + canary + "@127.0.0.1:1/"}, "", nil, ""},
		{"serve phone relay", nil, "", nil, "--acme-domain=a.example --acme-directory=https://shop:" + canary + "@127.0.0.1:1/"},
		{"serve phone relay", nil, "", nil, "--acme-domain=a.example --acme-accept-terms --acme-directory=https://shop:" + canary + "@127.0.0.1:1/"},
		{"serve phone relay", nil, "", nil, "--acme-domain=a.example --acme-directory=http://shop:" + canary + "@acme.example/"},
		{"serve phone", conf{"number": "628111000200", "log-level": "debug"}, "", nil, "--relay=wss://shop:" + canary + "@127.0.0.1:1"},
		{"serve phone", conf{"number": "628111000200", "log-level": "debug"}, "", nil, "--relay=http://shop:" + canary + "@127.0.0.1:1"},
		{"serve phone", conf{"number": "628111000200"}, "", nil, "--relay=wss://shop:" + canary + "%zz@127.0.0.1:1"},
	}
}

// No secret is printed or logged, wherever it stands and whatever else is wrong: by the program, and by --print-config.
func TestNoSecretIsShown(t *testing.T) {
	for i, c := range slices.Concat(secretInvites(t), secretMonitorKeys(t), secretDatabases(t), secretKeys(t), secretURLs()) {
		for program := range strings.FieldsSeq(c.programs) {
			for _, more := range []string{"", "--print-config"} {
				t.Run(fmt.Sprint(program, i, more), func(t *testing.T) {
					t.Parallel()
					c.showsNothing(t, program, more)
				})
			}
		}
	}
}

// showsNothing runs a program until it says where it answers, if it does not end before.
func (c *secretPlace) showsNothing(t *testing.T, program, more string) {
	t.Helper()
	with := maps.Clone(c.conf)
	if program == "phone" {
		delete(with, "number")
	}
	file := minimal(t, program).with(with).write(t)
	if c.text != "" {
		file = textFile(t, "kabar.yaml", c.text)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out, log output
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{program, "--config", file}, strings.Fields(c.args+" "+more)...), c.environ, streams{&out, &log})
	}()
	patience.Until(t, "it ends or says where it answers", func() bool { return len(ended) > 0 || announced.MatchString(out.String()) })
	stop()
	status := patience.Next(t, "it ends", ended)
	if strings.Contains(out.String(), canary) || strings.Contains(log.String(), canary) {
		t.Errorf("%v %q %v %q: status %d\n%s%s", with, c.text, c.environ, c.args, status, out.String(), log.String())
	}
}
