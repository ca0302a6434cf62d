package main

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/manage"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// operator calls the operations over an empty store, as commands do.
type operator struct {
	*control.Client
	t *testing.T
	p *parts
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "kabar.db"), Master: secrets.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	p := &parts{db: db}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	if p.auth, err = auth.New(t.Context(), auth.Options{Store: db}); err != nil {
		t.Fatal(err)
	}
	return &operator{control.Local(operations(p)), t, p}
}

// call wants no error, or a refusal that contains want.
func (o *operator) call(name string, in, out any, want string) {
	o.t.Helper()
	err := o.Call(o.t.Context(), name, in, out, nil)
	if want == "" {
		if err != nil {
			o.t.Fatalf("%s(%+v): %v", name, in, err)
		}
		return
	}
	if refused, ok := errors.AsType[*control.Error](err); !ok || !refused.Usage || !strings.Contains(refused.Message, want) {
		o.t.Errorf("%s(%+v): %v, want a refusal with %q", name, in, err, want)
	}
}

func (o *operator) add(digits, name, account string) (added addedNumber) {
	o.t.Helper()
	o.call("number.add", addNumber{Digits: digits, Name: name, Account: account}, &added, "")
	return added
}

func TestNumberAdd(t *testing.T) {
	o := newOperator(t)
	first, second := o.add("+62 811 1000 200", "Toko", ""), o.add("628111000201", "Toko", "")
	if first.User != "admin" || second.User != "admin-628111000201" || first.Digits != "628111000200" || first.Running || auth.CheckPassword(first.Password) != nil {
		t.Errorf("%+v, %+v", first, second)
	}
	if third := o.add("628111000202", "Tiga", ""); third.Account != "Tiga" {
		t.Errorf("%+v", third)
	}
	accounts, err := o.p.db.Accounts(t.Context())
	if err != nil || len(accounts) != 3 {
		t.Fatalf("%v, %v", accounts, err)
	}
	if joined := o.add("628111000203", "Empat", manage.AccountID(o.p.db, accounts[2].ID)); joined.Account != "Tiga" {
		t.Errorf("by id: %+v", joined)
	}
	if joined := o.add("628111000204", "Lima", "Tiga"); joined.Account != "Tiga" {
		t.Errorf("by name: %+v", joined)
	}
	o.call("user.add", addUser{"admin-628111000299", "628111000200", false}, nil, "")
	for want, in := range map[string]addNumber{
		"several accounts are called":             {Digits: "628111000205", Name: "x", Account: "Toko"},
		"no account \"Enam\"":                     {Digits: "628111000205", Name: "x", Account: "Enam"},
		"628111000201 is on this server already":  {Digits: "62-811-1000-201", Name: "x"},
		"is no phone number":                      {Digits: "", Name: "x"},
		"\"ID.abcdef\" is no phone number":        {Digits: "ID.abcdef", Name: "x"},
		"--name: want 1 to 128":                   {Digits: "628111000205", Name: " "},
		"characters on one line":                  {Digits: "628111000205", Name: "a\nb"},
		"--name: want 1 to 128 characters":        {Digits: "628111000205", Name: "a\xff"},
		"leave --account out to make a new one":   {Digits: "628111000205", Name: "x", Account: "Enam"},
		"there is a user of this name":            {Digits: "628111000299", Name: "x"},
		"kabar number show 628111000200":          {Digits: "628111000200", Name: "x", Invite: "kri_x"},
		"kabar user remove admin-628111000299":    {Digits: "628111000299", Name: "x"},
		"digits with the country code, such as 6": {Digits: "0811", Name: "x"},
	} {
		o.call("number.add", in, nil, want)
	}
	var all []numberItem
	if o.call("number.list", nothing{}, &all, ""); len(all) != 5 || all[0].State != "stopped" || all[4].Account != "Tiga" {
		t.Errorf("%+v", all)
	}
}

// A crash between the steps of adding a number is made good by adding it again; of the first number, too.
func TestNumberAddAfterACrash(t *testing.T) {
	o := newOperator(t)
	for _, digits := range []string{"628111000200", "628111000201"} {
		half := engine.NewNumber{Account: &kabar.Account{Name: "Toko " + digits}, Digits: digits, Profile: kabar.Profile{Name: "Toko"}}
		n, err := engine.AddNumber(t.Context(), o.p.db, half, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var added addedNumber
		o.call("number.add", addNumber{Digits: digits, Name: "Toko", Invite: "kri_again"}, &added, "")
		want := "admin"
		if digits != "628111000200" {
			want += "-" + digits
		}
		if invite, err := o.p.db.Invite(t.Context(), n.ID); added.User != want || added.Account != "Toko "+digits || err != nil || invite != "kri_again" {
			t.Errorf("%+v, invite %q, %v", added, invite, err)
		}
		o.call("number.add", addNumber{Digits: digits, Name: "Toko"}, nil, "on this server already")
		o.call("number.invite", inviteNumber{digits, "kri_later"}, nil, "")
		if invite, err := o.p.db.Invite(t.Context(), n.ID); err != nil || invite != "kri_later" {
			t.Errorf("invite %q, %v", invite, err)
		}
	}
	if numbers, err := o.p.db.Numbers(t.Context()); err != nil || len(numbers) != 2 {
		t.Errorf("%d numbers, %v", len(numbers), err)
	}
}

// While the server runs a number is connected at once; what goes wrong there does not cost the password.
func TestNumberAddConnects(t *testing.T) {
	o := newOperator(t)
	var attached []string
	fail := error(nil)
	o.p.attach = func(_ context.Context, n *kabar.Number) error { attached = append(attached, n.Digits); return fail }
	o.p.link = func(*kabar.Number) (string, time.Time) { return "waiting for its code", time.Unix(1_900_000_000, 0) }
	verified := ""
	o.p.verify = func(_ context.Context, n *kabar.Number, code string) error {
		verified = n.Digits + " " + code
		return fail
	}
	one := o.add("628111000200", "Satu", "")
	fail = errors.New("no relay in sight")
	two := o.add("628111000201", "Dua", "")
	if strings.Join(attached, " ") != "628111000200 628111000201" || !one.Running || one.Problem != "" || two.Problem != "no relay in sight" {
		t.Errorf("attached %v: %+v, %+v", attached, one, two)
	}
	for _, want := range []string{two.Password, "could not be connected: no relay in sight", "first login must bring a new_password"} {
		if text := two.text("d", true); !strings.Contains(text, want) || strings.Contains(text, "verify") {
			t.Errorf("%q is not in, or the next step but one is:\n%s", want, text)
		}
	}
	for _, want := range []string{"kabar relay codes", "kabar number verify 628111000200 CODE --data d"} {
		if text := one.text("d", true); !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	if text := one.text("d", false); !strings.Contains(text, "The server connects it now") || strings.Contains(text, "verify") {
		t.Errorf("%s", text)
	}
	var shown shownNumber
	o.call("number.show", showNumber{"628111000201"}, &shown, "")
	var b strings.Builder
	if err := shown.print(&b); err != nil || !strings.Contains(b.String(), "waiting for its code since 2030-03-17") || len(shown.Webhooks) != 1 {
		t.Errorf("%v\n%s", err, b.String())
	}
	fail = kabar.Refuse(kabar.ReasonDenied, "", "the code is wrong: two tries are left")
	o.call("number.verify", verifyNumber{"628111000201", " 123-456 "}, nil, "two tries are left")
	if verified != "628111000201 123-456" {
		t.Errorf("verified %q", verified)
	}
	o.p.verify = nil
	o.call("number.verify", verifyNumber{"628111000201", "1"}, nil, "start kabar serve")
}

func TestOperatorWithoutNumbers(t *testing.T) {
	o := newOperator(t)
	for name, in := range map[string]any{"user.add": addUser{Name: "x"}, "key.add": addKey{Scopes: []string{auth.ScopeMessages}}, "number.show": showNumber{},
		"number.verify": verifyNumber{"628111000200", "1"}, "number.invite": inviteNumber{"628111000200", "kri_x"}} {
		o.call(name, in, nil, "there is no number yet: kabar number add")
	}
	for _, name := range []string{"number.list", "user.list", "key.list"} {
		var all []map[string]any
		if o.call(name, struct{}{}, &all, ""); all == nil || len(all) != 0 { // [] for programs, never null
			t.Errorf("%s: %v", name, all)
		}
	}
}

// A key that opens nothing of /v1 is printed with what it opens, not with calls that would be refused.
func TestWhatAKeyOpens(t *testing.T) {
	o := newOperator(t)
	o.add("628111000201", "Dua", "")
	var sees addedKey
	o.call("key.add", addKey{Number: "628111000201", Scopes: []string{"read", "consent"}}, &sees, "")
	if text := sees.text(); strings.Contains(text, "curl") || !strings.Contains(text, "    read                         what became of messages") ||
		!strings.Contains(text, "/kabar/v1/consent") {
		t.Errorf("%s", text)
	}
	for _, s := range auth.AllScopes() {
		if !ofNumber([]string{s}) && opens(s) == "" {
			t.Errorf("nothing is said of what the scope %s opens", s)
		}
	}
	var whole addedKey
	o.call("key.add", addKey{Account: "Dua", Role: "owner"}, &whole, "")
	var revoked revokedKey
	if o.call("key.revoke", revokeKey{whole.Key}, &revoked, ""); revoked.Item.Number != "all of Dua" {
		t.Errorf("revoked a key of %s", revoked.Item.Number)
	}
}

func TestKeyOperations(t *testing.T) {
	o := newOperator(t)
	o.add("628111000200", "Satu", "")
	o.add("628111000201", "Dua", "")
	o.p.api = func() string { return "https://api.example" }
	var one, two, server addedKey
	o.call("key.add", addKey{Number: "+62 811 1000 200", Scopes: []string{"messages", "admin"}, Label: "shop", Expires: time.Hour}, &one, "")
	o.call("key.add", addKey{Number: "628111000201", Scopes: []string{"messages"}}, &two, "")
	o.call("key.add", addKey{Scopes: []string{"lab"}}, &server, "")
	if text := one.text(); !strings.Contains(text, "https://api.example/v1/health -H 'Authorization: Bearer "+one.Key) ||
		!strings.Contains(text, "-H 'D360-API-KEY: "+one.Key) || !regexp.MustCompile(`ends 20\d\d-`).MatchString(text) {
		t.Errorf("%s", text)
	}
	if text := server.text(); strings.Contains(text, "curl") || !strings.Contains(text, "of the server") {
		t.Errorf("%s", text)
	}
	for want, in := range map[string]addKey{
		"at least one of messages, admin, read, lab": {Number: "628111000200"},
		"there are several numbers":                  {Scopes: []string{"admin"}},
		"is unknown; there are messages":             {Scopes: []string{"lab", "root"}},
		"628111000999 is no number of this server":   {Number: "628111000999", Scopes: []string{"lab"}},
		"label: must have at most 128 bytes and no":  {Number: "628111000200", Scopes: []string{"lab"}, Label: "\x1b"},
	} {
		o.call("key.add", in, nil, want)
	}
	list := func(number string) (all []keyItem) {
		o.call("key.list", listKeys{number}, &all, "")
		return all
	}
	if all := list(""); len(all) != 3 {
		t.Errorf("%+v", all)
	}
	if all := list("628111000201"); len(all) != 1 || all[0].ID != two.Item.ID || all[0].Hint != two.Key[:8] {
		t.Errorf("%+v", all)
	}
	for id, want := range map[string]string{"": "too short", one.Item.ID[:5]: "too short", "000000": "no such key", auth.NewKey(): "no such key", "kbr_": "no such key"} {
		o.call("key.revoke", revokeKey{id}, nil, want)
	}
	for _, tt := range []struct {
		id   string
		want *addedKey
	}{{one.Item.ID, &one}, {two.Key, &two}, {strings.ToUpper(server.Item.ID[:minID]), &server}} {
		var revoked revokedKey
		if o.call("key.revoke", revokeKey{tt.id}, &revoked, ""); revoked.Item.ID != tt.want.Item.ID {
			t.Errorf("revoked %+v, want %s", revoked, tt.want.Item.ID)
		}
	}
	for _, k := range list("") {
		if k.Revoked.IsZero() || !strings.HasPrefix(k.ends(), "revoked 20") {
			t.Errorf("%+v", k)
		}
	}
}

// Ids that begin alike are told apart.
func TestPickKey(t *testing.T) {
	all := []*store.Key{{ID: "abcdef01"}, {ID: "abcdef02"}, {ID: "123456"}}
	for id, want := range map[string]string{"abcdef01": "abcdef01", "ABCDEF02": "abcdef02", "123456": "123456", "123456…": "123456"} {
		if k, err := pickKey(all, id); err != nil || k.ID != want {
			t.Errorf("%s: %v, %v", id, k, err)
		}
	}
	if _, err := pickKey(all, "abcdef"); err == nil || !strings.Contains(err.Error(), "several keys") {
		t.Errorf("%v", err)
	}
}

func TestUserOperations(t *testing.T) {
	o := newOperator(t)
	o.add("628111000200", "Satu", "")
	o.add("628111000201", "Dua", "")
	var added addedUser
	o.call("user.add", addUser{"ops", "628111000201", false}, &added, "")
	o.call("user.add", addUser{"ops", "628111000200", false}, nil, `there is a user "ops" already`)
	o.call("user.add", addUser{"a:b", "628111000200", false}, nil, "username: must have no colon")
	o.call("user.add", addUser{"x", "", false}, nil, "there are several numbers")
	if _, err := o.p.auth.Issue(t.Context(), "ops"); err != nil {
		t.Fatal(err)
	}
	var all []userItem
	o.call("user.list", listUsers{"628111000201"}, &all, "")
	if len(all) != 2 || all[0].Name != "admin-628111000201" || !all[0].LastLogin.IsZero() || time.Since(all[1].LastLogin).Abs() > time.Minute || !all[1].MustChange {
		t.Errorf("%+v", all)
	}
	var set newPassword
	o.call("user.password", setPassword{"ops"}, &set, "")
	all = nil
	o.call("user.list", listUsers{"628111000201"}, &all, "")
	if set.Password == added.Password || !all[1].LastLogin.IsZero() {
		t.Errorf("after a new password: %+v", all)
	}
	o.call("user.password", setPassword{"nobody"}, nil, `there is no user "nobody"`)
	o.call("user.remove", removeUser{"nobody", true}, nil, `there is no user "nobody"`)
	o.call("user.remove", removeUser{"admin", false}, nil, "kabar user add NAME --admin")
	o.call("user.remove", removeUser{"admin", true}, nil, "")
	o.call("user.remove", removeUser{"ops", false}, nil, "")
}
