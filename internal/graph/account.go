package graph

import (
	"strings"

	"kabar"
	"kabar/internal/store"
)

// accountKind is a business account (WABA).
func (a *API) accountKind() *kind {
	return kindOf(spec[*kabar.Account]{name: "WhatsAppBusinessAccount", defaults: []string{"name", "timezone_id", "message_template_namespace"},
		find: a.countedAccount, update: a.updateAccount,
		fields: map[string]func(*exchange, *kabar.Account, Field) (any, error){
			"id":                           plain(func(w *kabar.Account) any { return a.nodeID(int64(w.ID)) }),
			"name":                         plain(func(w *kabar.Account) any { return w.Name }),
			"currency":                     plain(func(w *kabar.Account) any { return w.Currency }),
			"timezone_id":                  plain(func(*kabar.Account) any { return "0" }),
			"message_template_namespace":   plain(a.namespace),
			"account_review_status":        plain(func(w *kabar.Account) any { return w.Verification.Review() }),
			"business_verification_status": plain(businessStatus),
			"ownership_type":               plain(ownership),
			"status":                       plain(func(*kabar.Account) any { return "ACTIVE" }),
			"is_enabled_for_insights":      plain(func(*kabar.Account) any { return true }),
			"analytics":                    a.analytics,
			"conversation_analytics":       a.conversationAnalytics,
			"pricing_analytics":            a.pricingAnalytics,
			"owner_business_info":          a.owner,
			"on_behalf_of_business_info":   a.owner,
			"phone_numbers":                a.numbersField,
			"health_status":                a.accountHealth,
		}})
}

// businessStatus is how far the verification of an account's business is, in the words of Meta's description.
func businessStatus(w *kabar.Account) any {
	if w.Verification.State == kabar.NotVerified {
		return "UNVERIFIED"
	}
	return strings.ToUpper(string(w.Verification.State))
}

// countedAccount is account for a request about it, of which the answer tells how many there are.
func (a *API) countedAccount(x *exchange, key int64) (*kabar.Account, error) {
	w, err := a.account(x, key)
	if err == nil {
		x.w.Header().Set(usageHeader, a.used.count(w.ID, a.nodeID(key), a.now()))
	}
	return w, err
}

// account finds an account of whoever asks.
func (a *API) account(x *exchange, key int64) (*kabar.Account, error) {
	all, err := a.accounts(x)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		if int64(w.ID) == key {
			return w, nil
		}
	}
	return nil, errNone()
}

// accounts returns the accounts of whoever asks, oldest first.
func (a *API) accounts(x *exchange) (all []*kabar.Account, err error) {
	known, err := a.store.Accounts(x.r.Context())
	if err != nil {
		return nil, store.Refusal(err)
	}
	for _, w := range known {
		if mine(x.who, w.ID) {
			all = append(all, w)
		}
	}
	return all, nil
}

// namespace names the templates of an account, as the On-Premises API wants it.
func (a *API) namespace(w *kabar.Account) any { return namespaceOf(a.mac("namespace", int64(w.ID))) }

// owner is the business that an account belongs to.
func (a *API) owner(x *exchange, _ *kabar.Account, _ Field) (any, error) {
	app, err := a.app(x)
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": a.nodeID(app.Business), "name": a.name}, nil
}

// whose says which accounts an edge lists.
type whose func(*kabar.Account) bool

func anybodys(*kabar.Account) bool  { return true }
func ours(w *kabar.Account) bool    { return !w.Client }
func clients(w *kabar.Account) bool { return w.Client }

// ownership says whether an account is the business's own.
func ownership(w *kabar.Account) any {
	if w.Client {
		return "CLIENT_OWNED"
	}
	return "SELF"
}

// listAccounts answers a page of the accounts of whoever asks.
func (a *API) listAccounts(x *exchange, path string, of whose) error {
	p, fields, err := x.listed()
	if err != nil {
		return err
	}
	page, err := a.accountsAt(x, p, fields, path, of)
	if err != nil {
		return err
	}
	return x.reply(page)
}

// accountPage is listAccounts as a field of another node.
func (a *API) accountPage(x *exchange, f Field, path string, of whose) (any, error) {
	p, err := f.paging()
	if err != nil {
		return nil, err
	}
	return a.accountsAt(x, p, f.Fields, path, of)
}

func (a *API) accountsAt(x *exchange, p paging, fields []Field, path string, of whose) (*list, error) {
	all, err := a.accounts(x)
	if err != nil {
		return nil, err
	}
	k := a.accountKind()
	entries := []entry{}
	for _, w := range all {
		if !of(w) {
			continue
		}
		shown, err := k.show(x, w, fields)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{a.nodeID(int64(w.ID)), shown})
	}
	return x.pageOf(entries, p, path), nil
}

// ownedBy looks for a node in the accounts of whoever asks.
func ownedBy[T any](a *API, x *exchange, find func(kabar.AccountID) (*T, error)) (*T, error) {
	all, err := a.accounts(x)
	if err != nil {
		return nil, err
	}
	for _, w := range all {
		if found, err := find(w.ID); !isNone(err) {
			return found, err
		}
	}
	return nil, errNone()
}
