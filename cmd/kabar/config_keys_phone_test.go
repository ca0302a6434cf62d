package main

import (
	"net/http"
	"slices"
	"strings"

	"kabar/internal/patience"
)

// proveHostInvite has phone programs register a customer each at a private relay, with invites from a file and from the
// configuration itself.
func proveHostInvite(p *prover) {
	relay, invite := privateRelay(p.T)
	withCustomer := func(waID string, more conf) *running {
		r := launch(p.T, p.program, minimal(p.T, p.program).with(conf{"relay": "ws://" + relay.addr}).with(more))
		made := ask(p.T, http.MethodPost, "http://"+r.addr+"/api/customers", `{"name":"Ana","wa_id":"`+waID+`"}`)
		p.shows("relay", made.status == http.StatusCreated, "%d %s", made.status, made.body)
		return r
	}
	known := func(waID string) func() bool {
		return func() bool {
			return slices.ContainsFunc(accounts(p.T, relay), func(a account) bool { return a.Account == waID && a.Online })
		}
	}
	without := withCustomer("34600111221", nil)
	patience.Until(p.T, "refusal without an invite", func() bool { return strings.Contains(without.log.String(), "does not admit") })
	withCustomer("34600111222", conf{"invite-file": textFile(p.T, "invite", invite("--host", "--customers", "1"))})
	patience.Until(p.T, "customer of the invite in a file", known("34600111222"))
	p.shows("invite-file", true, "")

	inline := conf{"invite": invite("--host", "--customers", "1")}
	says := rejected(p.T, p.program, minimal(p.T, p.program).with(inline))
	p.shows("allow-inline-secrets", strings.Contains(says, "give --invite-file") && !strings.Contains(says, inline["invite"].(string)), "without it: %s", says)
	withCustomer("34600111223", inline.with(conf{"allow-inline-secrets": true}))
	patience.Until(p.T, "customer of the invite in the configuration", known("34600111223"))
	p.shows("invite", true, "")
}

// provePhonePage asks a phone program for its page and for what its customers can do.
func provePhonePage(p *prover) {
	c := minimal(p.T, p.program).with(conf{"token-file": textFile(p.T, "token", phoneToken)})
	const bearer = "Authorization: Bearer " + phoneToken
	r := launch(p.T, p.program, c.with(conf{"business": []string{"628111000200"}}))
	without, with := r.get("http").status, r.get("http", bearer).status
	p.shows("token-file", without == http.StatusUnauthorized && with == http.StatusOK, "%d without the token, %d with it", without, with)

	writes := func(r *running) answer {
		ask(p.T, http.MethodPost, "http://"+r.addr+"/api/customers", `{"name":"Ana","wa_id":"34600111222"}`, bearer)
		return ask(p.T, http.MethodPost, "http://"+r.addr+"/api/customers/34600111222/messages", `{"type":"text","text":{"body":"hi"}}`, bearer)
	}
	one := writes(r)
	p.shows("business", one.status == http.StatusCreated, "one: a text to it was answered %d %s", one.status, one.body)
	r.end()
	two := writes(launch(p.T, p.program, c.with(conf{"business": []string{"628111000200", "628111000201"}})))
	p.shows("business", strings.Contains(two.body, "knows 2 businesses"), "two: a text to nobody was answered %d %s", two.status, two.body)
}
