package graph

import (
	"slices"

	"kabar"
	"kabar/internal/e164"
	"kabar/internal/network"
)

// numberKind is a business phone number.
func (a *API) numberKind() *kind {
	return kindOf(spec[*kabar.Number]{name: "WhatsAppBusinessPhoneNumber",
		defaults: []string{"verified_name", "display_phone_number", "quality_rating", "code_verification_status", "platform_type", "throughput",
			"webhook_configuration"},
		find: a.numberOf, update: a.updateNumber, fields: a.numberFields()})
}

// numberFields are the fields of a number (contract 1.6). What nobody decides on here, such as whether the business is official, is a
// constant.
func (a *API) numberFields() map[string]func(*exchange, *kabar.Number, Field) (any, error) {
	constant := func(v any) func(*exchange, *kabar.Number, Field) (any, error) {
		return plain(func(*kabar.Number) any { return v })
	}
	return map[string]func(*exchange, *kabar.Number, Field) (any, error){
		"id":                           plain(func(n *kabar.Number) any { return a.nodeID(int64(n.ID)) }),
		"verified_name":                plain(func(n *kabar.Number) any { return n.Profile.Name }),
		"display_phone_number":         plain(func(n *kabar.Number) any { return e164.International(n.Digits) }),
		"quality_rating":               a.qualityRating,
		"quality_score":                a.qualityScore,
		"status":                       a.status,
		"code_verification_status":     plain(a.verification),
		"name_status":                  a.naming((*kabar.Naming).Current),
		"new_name_status":              a.naming((*kabar.Naming).New),
		"platform_type":                constant("CLOUD_API"),
		"host_platform":                constant("CLOUD_API"),
		"account_mode":                 constant(accountMode),
		"throughput":                   a.throughput,
		"messaging_limit_tier":         a.messagingLimit,
		"is_official_business_account": constant(false),
		"is_on_biz_app":                constant(false),
		"search_visibility":            constant("NON_VISIBLE"),
		"country_dial_code":            plain(func(n *kabar.Number) any { return e164.CountryCode(n.Digits) }),
		"is_pin_enabled":               a.pinEnabled,
		"webhook_configuration":        a.webhookConfiguration,
		"conversational_automation":    a.automation,
		"username":                     a.usernameField,
		"health_status":                a.numberHealth,
		"last_onboarded_time":          plain(func(n *kabar.Number) any { return orNothing(graphTime(n.Created)) }),
		"certificate":                  constant(nil), // the name is not certified here
		"country_code":                 plain(func(n *kabar.Number) any { return orNothing(e164.Region(n.Digits)) }),

		"whatsapp_business_manager_messaging_limit": a.messagingLimit,
	}
}

// naming shows how far the review of a name is.
func (a *API) naming(of func(*kabar.Naming) kabar.NameStatus) func(*exchange, *kabar.Number, Field) (any, error) {
	return func(_ *exchange, n *kabar.Number, _ Field) (any, error) {
		s, err := a.engine.Settings(n.ID)
		return of(&s.Naming), err
	}
}

// orNothing leaves out a field that is empty.
func orNothing(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// numberOf finds a number of whoever asks.
func (a *API) numberOf(x *exchange, key int64) (*kabar.Number, error) {
	for _, n := range a.numbers(x) {
		if int64(n.ID) == key {
			return n, nil
		}
	}
	return nil, errNone()
}

// numbers returns the numbers of whoever asks, oldest first.
func (a *API) numbers(x *exchange) (all []*kabar.Number) {
	for _, n := range a.engine.Numbers() {
		if mine(x.who, n.Account) && (x.who.Number == 0 || x.who.Number == n.ID) {
			all = append(all, n)
		}
	}
	return all
}

// registration says how far a number has come at its network; a network that admits everybody has registered it.
func (a *API) registration(n *kabar.Number) network.Registration {
	r, ok := a.engine.Network(n.ID).(network.Registrar)
	if !ok {
		return network.RegistrationConfirmed
	}
	state, _ := r.Registration()
	return state
}

// status is the state of a number's registration. A number that was deregistered keeps its place in the network, and sends nothing.
func (a *API) status(_ *exchange, n *kabar.Number, _ Field) (any, error) {
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return nil, err
	}
	switch up, _ := a.engine.Link(n.ID); {
	case up && !s.Deregistered:
		return "CONNECTED", nil
	case s.Deregistered, a.registration(n) == network.RegistrationConfirmed:
		return "DISCONNECTED", nil
	}
	return "PENDING", nil
}

func (a *API) verification(n *kabar.Number) any {
	if a.registration(n) == network.RegistrationConfirmed {
		return "VERIFIED"
	}
	return "NOT_VERIFIED"
}

func (a *API) pinEnabled(_ *exchange, n *kabar.Number, _ Field) (any, error) {
	s, err := a.engine.Settings(n.ID)
	return s.PIN != "", err
}

// listNumbers: GET /{account}/phone_numbers.
func (a *API) listNumbers(x *exchange, w *kabar.Account) error {
	p, fields, err := x.listed()
	if err != nil {
		return err
	}
	all, err := a.chosen(x, w)
	if err != nil {
		return err
	}
	page, err := a.pageOfNumbers(x, w, all, p, fields)
	if err != nil {
		return err
	}
	return x.reply(page)
}

// numbersField is listNumbers as a field of an account.
func (a *API) numbersField(x *exchange, w *kabar.Account, f Field) (any, error) {
	p, err := f.paging()
	if err != nil {
		return nil, err
	}
	return a.pageOfNumbers(x, w, a.numbersIn(x, w), p, f.Fields)
}

// numbersIn returns the numbers of an account, oldest first.
func (a *API) numbersIn(x *exchange, w *kabar.Account) []*kabar.Number {
	return slices.DeleteFunc(a.numbers(x), func(n *kabar.Number) bool { return n.Account != w.ID })
}

func (a *API) pageOfNumbers(x *exchange, w *kabar.Account, all []*kabar.Number, p paging, fields []Field) (*list, error) {
	k := a.numberKind()
	var entries []entry
	for _, n := range all {
		shown, err := k.show(x, n, fields)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{a.nodeID(int64(n.ID)), shown})
	}
	return x.pageOf(entries, p, a.nodeID(int64(w.ID))+"/phone_numbers"), nil
}
