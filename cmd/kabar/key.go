package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kabar/internal/auth"
	"kabar/internal/control"
)

// keyCmd manages API keys, and the master key.
type keyCmd struct {
	Add    keyAddCmd    `cmd:"" aliases:"create" help:"Make an API key, printed once."`
	List   keyListCmd   `cmd:"" help:"List the API keys, also those that have ended."`
	Revoke keyRevokeCmd `cmd:"" help:"End an API key, at once."`
	Master keyMasterCmd `cmd:"" help:"Make the server's master key, which is no API key: all that is stored is encrypted under it."`
	Rotate keyRotateCmd `cmd:"" help:"Put the store under a new master key."`
}

// Help is shown by kabar key --help.
func (*keyCmd) Help() string {
	return `An API key opens the /v1 API of one number without a login. It goes with every request, as "Authorization: Bearer kbr_…" or as
"D360-API-KEY: kbr_…". A key of an account has a role, and opens the Cloud API and /kabar/v1 as far as that reaches. The server
keeps a hash of it: a lost key is revoked and replaced, not found again. The master key is another matter: all that the server
stores is encrypted under it.

Roles, for --role; docs/roles.md says which scopes each has, for --scopes instead:
` + roleHelp() + `

Examples:
  kabar key add --label shop --data server
  kabar key add --number 628111000201 --scopes admin --expires 90d --label deploy --data server
  kabar key add --scopes whatsapp_business_messaging,whatsapp_business_management --label shop --data server
  kabar key add --role marketer --account 'Kabar Coffee' --expires 365d --label campaigns --data server
  kabar key add --all-accounts --scopes whatsapp_business_management,read --label clients --data server
  kabar key list --data server
  kabar key revoke 3f8a0c91b2de --data server
  kabar key master master.key`
}

// roleHelp is a line for each role.
func roleHelp() string {
	var b strings.Builder
	for _, r := range auth.Roles() {
		fmt.Fprintf(&b, "  %-10s %s\n", r.Name, r.About)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// keyOperations are what the commands below ask for.
func keyOperations(m *control.Mux, p *parts) {
	control.Handle(m, "key.add", recorded(p.db, "key.added", p.addKey))
	control.Handle(m, "key.list", p.listKeys)
	control.Handle(m, "key.revoke", recorded(p.db, "key.revoked", p.revokeKey))
	rotateOperation(m, p)
}

type keyAddCmd struct {
	storeFlags  `embed:""`
	Number      string `help:"The number the key is for; may be left out when there is one." placeholder:"DIGITS" env:"-"`
	accountFlag `embed:""`
	Role        string   `help:"What it may do, by a name: owner, admin, developer, agent, marketer, reviewer or auditor." placeholder:"ROLE" xor:"may" env:"-"`
	Scopes      []string `help:"What it may do: messages (unless said), admin, read, review, consent, accounts, keys, audit, templates, lab, whatsapp_business_messaging, whatsapp_business_management." placeholder:"SCOPE,…" xor:"may" env:"-"`
	AllAccounts bool     `help:"It is for every account of the server, those of clients among them: a provider's own." env:"-"`
	Label       string   `help:"What it is for, for the list." placeholder:"TEXT" env:"-"`
	Expires     duration `help:"After how long it ends; 0: never." default:"0" placeholder:"90d" env:"-"`
}

// Help is shown by kabar key add --help.
func (*keyAddCmd) Help() string {
	return `The key is printed once; the server keeps a hash of it.

Examples:
  kabar key add --label shop --data server
  kabar key add --number 628111000201 --scopes admin --expires 90d --label deploy --data server
  kabar key add --scopes whatsapp_business_messaging,whatsapp_business_management --label shop --data server`
}

type (
	addKey struct {
		Number  string        `json:"number"`
		Account string        `json:"account"`
		All     bool          `json:"all"`  // accounts
		Role    string        `json:"role"` // or
		Scopes  []string      `json:"scopes"`
		Label   string        `json:"label"`
		Expires time.Duration `json:"expires"` // in nanoseconds; 0: never
	}
	addedKey struct {
		Key   string  `json:"key"`
		Item  keyItem `json:"item"`
		API   string  `json:"api"`   // where the server answers; empty when it does not run
		Trust string  `json:"trust"` // the file of the certificate that the server makes for itself
	}
)

// Run makes a key.
func (c *keyAddCmd) Run(ctx context.Context, s streams) error {
	if c.Role == "" && len(c.Scopes) == 0 {
		c.Scopes = []string{auth.ScopeMessages}
	}
	return c.operate(ctx, func(op *control.Client) error {
		var added addedKey
		if err := op.Call(ctx, "key.add", addKey{c.Number, c.Account, c.AllAccounts, c.Role, c.Scopes, c.Label, time.Duration(c.Expires)}, &added, nil); err != nil {
			return err
		}
		_, err := fmt.Fprint(s.out, added.text())
		return err
	})
}

// text shows the key, and how it is used.
func (a *addedKey) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Key %s of %s, %s, ends %s. Not shown again:\n\n    %s\n", a.Item.ID, a.Item.Number, a.Item.may("scopes "), a.Item.ends(), a.Key)
	if !ofNumber(a.Item.Scopes) {
		if len(a.Item.Scopes) > 0 {
			b.WriteString("\nIt opens:\n\n")
		}
		for _, s := range a.Item.Scopes {
			fmt.Fprintf(&b, "    %-28s %s\n", s, opens(s))
		}
		return b.String()
	}
	api, curl := a.API, "curl -sS"
	switch {
	case api == "":
		api = "https://THE-SERVER" // it does not run, so nobody knows
	case strings.HasPrefix(api, "https:"):
		curl += " --cacert " + a.Trust
	}
	fmt.Fprintf(&b, "\nAsk how the number is, or send a message:\n\n    %s %s/v1/health -H 'Authorization: Bearer %s'\n\n"+
		"    %s %s/v1/messages -H 'D360-API-KEY: %s' \\\n      -H 'Content-Type: application/json' -d '%s'\n",
		curl, api, a.Key, curl, api, a.Key, `{"to":"THE-WA_ID","type":"text","text":{"body":"Hello"}}`)
	return b.String()
}

// opens says what a scope is for that no call of /v1 shows.
func opens(scope string) string {
	switch scope {
	case auth.ScopeMessaging:
		return "the Cloud API: messages, media, block list"
	case auth.ScopeManagement:
		return "the Cloud API: numbers, webhooks, flows, profile, templates"
	case auth.ScopeTemplates:
		return "the Cloud API's edges of templates, and the console's editor"
	case auth.ScopeRead:
		return "what became of messages and templates, in /kabar/v1 and the console"
	case auth.ScopeReview:
		return "judging templates, in /kabar/v1 and the console"
	case auth.ScopeWebhooks:
		return "/kabar/v1/endpoints and the console: where events go, their secrets, replays"
	case auth.ScopeConsent:
		return "/kabar/v1/consent: recording what customers have agreed to"
	case auth.ScopeBroadcasts:
		return "/kabar/v1/broadcasts: sending one template to many"
	case auth.ScopeAccounts:
		return "/kabar/v1/accounts: changing accounts; for the whole server, adding them and their credit"
	case auth.ScopeKeys:
		return "/kabar/v1/keys: giving and revoking keys"
	case auth.ScopePrivacy:
		return "exporting and erasing what is held of a customer, and for how long things are kept"
	case auth.ScopeAudit:
		return "/kabar/v1/audit: what was done, and by whom"
	case auth.ScopeLab:
		return "the clock of kabar dev"
	}
	return ""
}

// wholeServer stands in lists for the number of a key that belongs to none.
const wholeServer = "the server"

func (p *parts) addKey(ctx context.Context, in addKey, _ control.Report) (out addedKey, err error) {
	if len(in.Scopes) == 0 && in.Role == "" {
		return out, control.Refuse("--scopes: want at least one of %s", strings.Join(auth.AllScopes(), ", "))
	}
	now := time.Now()
	g := auth.Grant{Role: in.Role, Scopes: in.Scopes, Label: in.Label}
	if in.Expires > 0 {
		g.Expires = now.Add(in.Expires)
	}
	digits := wholeServer
	switch {
	case in.All && (in.Number != "" || in.Account != "" || ofNumber(in.Scopes)):
		return out, control.Refuse("--all-accounts: such a key is for no number and no account, and opens no /v1: leave --number, --account and the scopes messages and admin out")
	case in.All: // the server's own
	case in.Number != "" || ofNumber(in.Scopes):
		n, err := pickNumber(ctx, p.db, in.Number)
		if err != nil {
			return out, err
		}
		if in.Account != "" {
			account, err := p.oneAccount(ctx, in.Account)
			if err != nil {
				return out, err
			}
			if n.Account != account.ID {
				return out, control.Refuse("the number %s is not of the account %q", n.Digits, account.Name)
			}
		}
		g.Account, g.Number, digits = n.Account, n.ID, n.Digits
	case in.Account != "" || in.Role != "" || ofAccount(in.Scopes):
		account, err := p.oneAccount(ctx, in.Account)
		if err != nil {
			return out, err
		}
		g.Account, digits = account.ID, allOf(account.Name)
	}
	key := auth.NewKey()
	if err := p.auth.AddKey(ctx, key, g); err != nil {
		return out, told(err)
	}
	k, err := p.db.Key(ctx, auth.KeyID(key))
	if err != nil {
		return out, err
	}
	out = addedKey{Key: key, Item: newKeyItem(k, digits)}
	if p.api != nil {
		out.API, out.Trust = p.api(), filepath.Join(p.dir, "tls", "tls.crt")
	}
	return out, nil
}

// ofNumber reports whether one of the scopes is of the /v1 API, whose keys belong to a number each. An unknown one is not.
func ofNumber(scopes []string) bool {
	for _, s := range scopes {
		if s == auth.ScopeMessages || s == auth.ScopeAdmin {
			return true
		}
	}
	return false
}

// ofAccount reports whether one of the scopes is of the Cloud API, whose access tokens belong to an account, or to one number of
// it.
func ofAccount(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(auth.GraphScopes(), s) })
}

// allOf stands in lists for the number of a key that opens every number of an account.
func allOf(account string) string { return "all of " + account }

// shortID is how much of a key's id is shown: enough to tell any two apart.
const shortID = 12

const keyHeader = "ID|BEGINS|NUMBER|MAY|LABEL|CREATED|ENDS|LAST USED"
