package main

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/patience"
	"kabar/internal/secrets"
)

// proveNumber has a server register its number with a relay.
func proveNumber(p *prover) {
	relay := launch(p.T, "relay", minimal(p.T, "relay").with(conf{"open-registration": true}))
	r := launch(p.T, p.program, minimal(p.T, p.program).with(conf{"relay": "ws://" + relay.addr, "number": "628111000200", "name": "Toko Kabar"}))
	var there account
	patience.Until(p.T, "account at the relay", func() bool {
		if all := accounts(p.T, relay); len(all) > 0 {
			there = all[0]
		}
		return there.Online
	})
	p.shows("relay", true, "")
	p.shows("number", there.Account == "628111000200" && there.Class == "business", "%+v", there)
	p.shows("number", strings.Contains(r.out.String(), "The number is 628111000200. Its administrator is admin"), "%s", r.out.String())
	list := kabarDoes(p.T, "number", "list", "--data", r.data)
	p.shows("name", strings.Contains(list, "Toko Kabar"), "%s", list)
}

// proveMasterKeys opens one store with its key in each of three places, and another store with a wrapped one.
func proveMasterKeys(p *prover) {
	c := minimal(p.T, p.program)
	file := c["master-key-file"].(string)
	launch(p.T, p.program, c).end()
	other := minimal(p.T, p.program)["master-key-file"]
	says := rejected(p.T, p.program, c.with(conf{"master-key-file": other}))
	p.shows("master-key-file", strings.Contains(says, "key"), "another key: %s", says)

	text, err := os.ReadFile(file)
	if err != nil {
		p.Fatal(err)
	}
	_, inBase64, _ := strings.Cut(string(text), "\n")
	if _, err := base64.StdEncoding.DecodeString(strings.TrimSpace(inBase64)); err != nil {
		p.Fatal(err)
	}
	p.Setenv("SHOP_MASTER_KEY", inBase64)
	p.Setenv(secrets.CredentialsVariable, filepath.Dir(file))
	none := c.with(conf{"master-key-file": nil})
	p.shows("master-key-file", strings.Contains(rejected(p.T, p.program, none), "none is given"), "the store opens without")
	opens := launch(p.T, p.program, none.with(conf{"master-key-env": "SHOP_MASTER_KEY"}))
	p.shows("master-key-env", opens.get("http").status == http.StatusOK, "it does not open the store")
	opens.end()
	opens = launch(p.T, p.program, none.with(conf{"master-key-credential": "master.key"}))
	p.shows("master-key-credential", opens.get("http").status == http.StatusOK, "it does not open the store")
	opens.end()

	identity, wrapped := ageIdentity(p.T), filepath.Join(p.TempDir(), "wrapped.key")
	kabarDoes(p.T, "key", "master", wrapped, "--master-key-kms", identity)
	c = minimal(p.T, p.program).with(conf{"master-key-file": wrapped, "master-key-kms": identity})
	launch(p.T, p.program, c).end()
	says = rejected(p.T, p.program, c.with(conf{"master-key-kms": ageIdentity(p.T)}))
	p.shows("master-key-kms", strings.Contains(says, "another identity"), "another identity: %s", says)
}

// proveBusinessInvite has two servers register with invites of a private relay: from a file, and from the configuration itself.
func proveBusinessInvite(p *prover) {
	relay, invite := privateRelay(p.T)
	reserved := func(number string) func() bool {
		return func() bool {
			return strings.Contains(kabarDoes(p.T, "relay", "codes", "--data", relay.data), number)
		}
	}
	c := minimal(p.T, p.program).with(conf{"relay": "ws://" + relay.addr, "number": "628111000200"})
	without := launch(p.T, p.program, c)
	patience.Until(p.T, "refusal without an invite", func() bool { return strings.Contains(without.log.String(), "does not admit") })
	without.end()
	with := launch(p.T, p.program, c.with(conf{"data": minimal(p.T, p.program)["data"], "invite-file": textFile(p.T, "invite", invite()+"\n")}))
	patience.Until(p.T, "number that waits for its code", reserved("628111000200"))
	p.shows("invite-file", true, "")
	with.end()

	c = minimal(p.T, p.program).with(conf{"relay": "ws://" + relay.addr, "number": "628111000201", "invite": invite()})
	says := rejected(p.T, p.program, c)
	p.shows("allow-inline-secrets", strings.Contains(says, "give --invite-file") && !strings.Contains(says, c["invite"].(string)), "without it: %s", says)
	launch(p.T, p.program, c.with(conf{"allow-inline-secrets": true}))
	patience.Until(p.T, "second number that waits for its code", reserved("628111000201"))
	p.shows("invite", true, "")
}

// privateRelay runs a relay that admits by invite. invite makes one more.
func privateRelay(t *testing.T) (relay *running, invite func(more ...string) string) {
	t.Helper()
	relay = launch(t, "relay", minimal(t, "relay"))
	return relay, func(more ...string) string {
		t.Helper()
		return printed[struct{ Secret string }](t, append([]string{"relay", "invite", "--data", relay.data}, more...)...).Secret
	}
}

// proveMonitorKey asks for the health with the key of monitoring, and without one.
func proveMonitorKey(p *prover) {
	const key = "monitoring-key-1"
	c := minimal(p.T, p.program).with(conf{"number": "628111000200"})
	says := rejected(p.T, p.program, c.with(conf{"api-key-file": textFile(p.T, "key", "too-short")}))
	p.shows("api-key-file", strings.Contains(says, "12 to 128") && !strings.Contains(says, "too-short"), "a short one: %s", says)
	for _, with := range []struct {
		key  string
		conf conf
	}{
		{"api-key-file", conf{"api-key-file": textFile(p.T, "key", key+"\n")}},
		{"api-key", conf{"api-key": key, "allow-inline-secrets": true}},
	} {
		r := launch(p.T, p.program, c.with(with.conf))
		url := "http://" + r.addr + "/v1/health"
		known, unknown := ask(p.T, http.MethodGet, url, "", "Authorization: Apikey "+key), ask(p.T, http.MethodGet, url, "", "Authorization: Apikey "+key+"0")
		p.shows(with.key, known.status == http.StatusOK && strings.Contains(known.body, "gateway_status"), "%d %s", known.status, known.body)
		p.shows(with.key, unknown.status == http.StatusUnauthorized, "another key: %d %s", unknown.status, unknown.body)
		r.end()
	}
}

// proveEgress sets webhook URLs on two private networks, of which one may be reached.
func proveEgress(p *prover) {
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer hook.Close()
	r := launch(p.T, p.program, minimal(p.T, p.program).with(conf{"number": "628111000200", "egress-allow": []string{"127.0.0.0/8"}}))
	key := "Authorization: Bearer " + apiKey(p.T, r)
	set := func(url string) answer {
		return ask(p.T, http.MethodPatch, "http://"+r.addr+"/v1/settings/application", `{"webhooks":{"url":"`+url+`"}}`, key, "Content-Type: application/json")
	}
	there, elsewhere := set(hook.URL+"/hook"), set("http://10.1.2.3/hook")
	p.shows("egress-allow", there.status == http.StatusOK, "a webhook in it: %d %s", there.status, there.body)
	p.shows("egress-allow", elsewhere.status == http.StatusBadRequest && strings.Contains(elsewhere.body, "1009"), "a webhook beside it: %d %s", elsewhere.status, elsewhere.body)
}

// proveBackupDir has the doctor look for backups, where the server's file says.
func proveBackupDir(p *prover) {
	dir := p.TempDir()
	c := minimal(p.T, p.program).with(conf{"number": "628111000200", "backup-dir": dir})
	file := c.write(p.T)
	r := launchWith(p.T, p.program, c, []string{"--config", file}, nil)
	doctor := func() string {
		var out, log output
		run(p.T.Context(), []string{"doctor", "--config", file}, nil, streams{&out, &log}) // its status is of other checks, too
		return out.String()
	}
	says := doctor()
	p.shows("backup-dir", strings.Contains(says, "no complete backup in "+dir), "without a backup: %s", says)
	kabarDoes(p.T, "backup", filepath.Join(dir, "first"), "--data", r.data)
	says = doctor()
	p.shows("backup-dir", strings.Contains(says, "the newest is"), "with a backup: %s", says)
}
