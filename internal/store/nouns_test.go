package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// noun is one thing that the store keeps: how it is stored, changed, read and removed, and what a read must return.
type noun struct {
	name   string
	add    func(tx *store.Tx) error
	change func(tx *store.Tx) error        // nil: it never changes
	remove func(tx *store.Tx) error        // nil: it stays
	inside func(tx *store.Tx) (any, error) // the read of an operation; nil: there is none
	read   func() (any, error)             // the read of committed rows; nil: there is none
	want   func() any                      // what both return now; nil: removed
}

// checkAll reads nouns from the committed rows, and from an operation.
func checkAll(t *testing.T, s *storetest.Env, all []*noun, when string) {
	t.Helper()
	for _, n := range all {
		if n.read != nil {
			got, err := n.read()
			n.compare(t, when+", from the pool", got, err)
		}
	}
	s.Write(t, func(tx *store.Tx) error {
		for _, n := range all {
			n.checkInside(t, tx, when+", in another operation")
		}
		return nil
	})
}

func (n *noun) checkInside(t *testing.T, tx *store.Tx, when string) {
	t.Helper()
	if n.inside != nil {
		got, err := n.inside(tx)
		n.compare(t, when, got, err)
	}
}

func (n *noun) compare(t *testing.T, when string, got any, err error) {
	t.Helper()
	want := n.want()
	var missing *store.NotFoundError
	if want == nil && errors.As(err, &missing) {
		return
	}
	if err != nil || !same(got, want) {
		t.Errorf("%s %s:\n got %+v, %v\nwant %+v", n.name, when, got, err, want)
	}
}

// same compares values; nothing read in any type is no value.
func same(got, want any) bool {
	if v := reflect.ValueOf(got); want == nil {
		return !v.IsValid() || v.IsZero() || (v.Kind() == reflect.Slice && v.Len() == 0)
	}
	return reflect.DeepEqual(got, want)
}

// nouns returns one of everything, of the number n. The tag is part of every name, and of all that must be sealed.
func nouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) []*noun {
	conversation := &kabar.Conversation{}
	all := []*noun{numberNoun(t, s, n, tag), inviteNoun(t, s, n, tag), userNoun(t, s, n, tag), loginNoun(t, s, n, tag), keyNoun(t, s, n, tag),
		conversationNoun(t, s, n, tag, conversation), handleNoun(t, s, n, tag, conversation)}
	all = append(all, talkNouns(t, s, n, tag, conversation)...)
	all = append(all, readerNouns(t, s, n, tag, conversation)...)
	all = append(all, adminNouns(t, s, n, tag)...)
	all = append(append(all, verificationNoun(t, s, n)), moneyNouns(t, s, n, tag)...)
	all = append(all, broadcastNouns(t, s, n, tag)...)
	all = append(all, privacyNouns(t, s, n, tag)...)
	return append(all, driverNouns(t, s, n, tag)...)
}

func numberNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	settings := s.Settings
	type both struct {
		n *kabar.Number
		s kabar.Settings
	}
	save := func(tx *store.Tx) error {
		n.Profile.Description, settings.OnPremSetting = tag, map[string]any{"x.y": tag}
		n.ProfileVersion = 2
		return tx.SaveNumber(n, settings)
	}
	return &noun{name: "number", add: save,
		inside: func(tx *store.Tx) (any, error) { n, s, err := tx.Number(n.ID); return both{n, s}, err },
		read:   func() (any, error) { n, s, err := s.DB.Number(t.Context(), n.ID); return both{n, s}, err },
		want:   func() any { return both{n, settings} }}
}

func inviteNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	want := tag
	return &noun{name: "invite", add: func(tx *store.Tx) error { return tx.SetInvite(n.ID, tag) },
		change: func(tx *store.Tx) error { want = "new " + tag; return tx.SetInvite(n.ID, want) },
		read:   func() (any, error) { return s.DB.Invite(t.Context(), n.ID) }, want: func() any { return want }}
}

func userNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	u := &store.User{Account: n.Account, Number: n.ID, Name: "user-" + tag[:4], Role: "admin", Hash: "$argon2id$1", MustChange: true}
	return &noun{name: "user", add: func(tx *store.Tx) error { return tx.AddUser(u, s.Now) },
		change: func(tx *store.Tx) error {
			u.Hash, u.MustChange = "$argon2id$2", false
			return tx.SetPassword(n.ID, u.ID, u.Hash, u.MustChange)
		},
		inside: func(tx *store.Tx) (any, error) { return tx.User(n.ID, u.ID) },
		read:   func() (any, error) { return s.DB.User(t.Context(), u.Name) }, want: func() any { return u }}
}

func loginNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	l := &store.Login{ID: "login-" + tag[:4], Account: n.Account, Number: n.ID, User: 7, Expires: s.Now.Add(time.Hour)}
	want := l
	return &noun{name: "session", add: func(tx *store.Tx) error { return tx.AddLogin(l) },
		remove: func(tx *store.Tx) error { want = nil; return tx.RemoveLogin(l.ID) },
		read:   func() (any, error) { return s.DB.Login(t.Context(), l.ID) }, want: func() any { return orNil(want) }}
}

func keyNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	k := &store.Key{ID: "key-" + tag[:4], Account: n.Account, Number: n.ID, Scopes: []string{"read", "send"}, Label: "till 3",
		Hint: "kbr_" + tag[:2], Expires: s.Now.Add(time.Hour)}
	want := k
	return &noun{name: "key", add: func(tx *store.Tx) error { return tx.AddKey(k, s.Now) },
		change: func(tx *store.Tx) error {
			k.LastUsed = s.Now.Add(time.Minute)
			return tx.TouchKey(k.ID, k.LastUsed)
		},
		remove: func(tx *store.Tx) error { want = nil; return tx.RevokeKey(k.ID, s.Now) },
		read:   func() (any, error) { return s.DB.Key(t.Context(), k.ID) }, want: func() any { return orNil(want) }}
}

// conversationNoun makes the conversation c, which other nouns are about.
func conversationNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string, c *kabar.Conversation) *noun {
	return &noun{name: "conversation",
		add: func(tx *store.Tx) error {
			made, err := tx.CreateConversation(n, kabar.Customer{WaID: "4915" + tag[:4], Name: "Name " + tag})
			if err == nil {
				*c = *made
			}
			return err
		},
		change: func(tx *store.Tx) error {
			c.Customer.BSUID, c.Customer.Name = "DE."+tag[:4], "New name "+tag
			c.Pair, c.Away = kabar.Pair{Since: s.Now, Until: s.Now.Add(time.Minute)}, s.Now.Add(time.Hour)
			c.LastInbound, c.Blocked, c.Barred, c.ProfileSent, c.IdentityHash = s.Now, true, s.Now, 3, "hash"
			c.AdTapped, c.EntryPoint = s.Now.Add(-time.Hour), s.Now.Add(time.Hour)
			c.Customer.Former = "4914" + tag[:4]
			c.IdentitySince, c.IdentityPending = s.Now.Add(-time.Hour), true
			c.Billing = kabar.Billing{ID: 5, Category: kabar.CategoryUtility, Expires: s.Now.Add(time.Hour)}
			return tx.SaveConversation(c)
		},
		inside: func(tx *store.Tx) (any, error) { return tx.Conversation(n.ID, c.ID) },
		read:   func() (any, error) { return s.DB.Conversation(t.Context(), n.ID, c.ID) },
		want:   func() any { return c }}
}

// handleNoun is the way from the customer's handles to c; the second handle comes with the change.
func handleNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string, c *kabar.Conversation) *noun {
	handle := "4915" + tag[:4]
	return &noun{name: "handle", add: func(*store.Tx) error { return nil },
		change: func(*store.Tx) error { handle = "DE." + tag[:4]; return nil },
		inside: func(tx *store.Tx) (any, error) { return tx.FindConversation(n.ID, handle) },
		read:   func() (any, error) { return s.DB.FindConversation(t.Context(), n.ID, handle) },
		want:   func() any { return c }}
}

// driverNouns are what a driver, the API and the server keep.
func driverNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) []*noun {
	name, value, version := "state-"+tag[:4], []byte("v1 "+tag), int64(0)
	type entry struct {
		v       []byte
		version int64
	}
	locator := []byte("locator " + tag)
	type seen struct {
		id kabar.MessageID
		ok bool
	}
	answer := &store.Answer{Hash: "abc", Status: 201, Body: []byte("answer " + tag), At: s.Now}
	secret := []byte("secret " + tag)
	return append([]*noun{
		{name: "driver entry",
			add:    func(tx *store.Tx) error { version = 1; return tx.SetState(n, name, 0, value) },
			change: func(tx *store.Tx) error { value, version = []byte("v2 "+tag), 2; return tx.SetState(n, name, 1, value) },
			remove: func(tx *store.Tx) error { value, version = nil, 0; return tx.SetState(n, name, 2, nil) },
			read:   func() (any, error) { v, n, err := s.DB.State(t.Context(), n.ID, name); return entry{v, n}, err },
			want:   func() any { return entry{value, version} }},
		{name: "upload",
			add: func(tx *store.Tx) error { return tx.SaveUpload(n, "sum-"+tag[:4], locator, s.Now.Add(time.Hour)) },
			change: func(tx *store.Tx) error {
				locator = []byte("again " + tag)
				return tx.SaveUpload(n, "sum-"+tag[:4], locator, s.Now.Add(time.Hour))
			},
			read: func() (any, error) { return s.DB.Upload(t.Context(), n.ID, "sum-"+tag[:4], s.Now) },
			want: func() any { return locator }},
		{name: "network id",
			add:    func(tx *store.Tx) error { return tx.AddRef(n, "ref-"+tag[:4], 77, s.Now) },
			inside: func(tx *store.Tx) (any, error) { id, ok, err := tx.Ref(n.ID, "ref-"+tag[:4]); return seen{id, ok}, err },
			want:   func() any { return seen{77, true} }},
		{name: "answer",
			add:    func(tx *store.Tx) error { return tx.SaveAnswer(n, "/v1/messages", "once-"+tag[:4], answer) },
			inside: func(tx *store.Tx) (any, error) { return tx.Answer(n.ID, "/v1/messages", "once-"+tag[:4], s.Now) },
			want:   func() any { return answer }},
		{name: "secret",
			add: func(tx *store.Tx) error { return tx.SetSecret("sign-"+tag[:4], secret) },
			change: func(tx *store.Tx) error {
				secret = []byte("other " + tag)
				return tx.SetSecret("sign-"+tag[:4], secret)
			},
			read: func() (any, error) {
				return s.DB.Secret(t.Context(), "sign-"+tag[:4], func() []byte { return []byte("made anew") })
			},
			want: func() any { return secret }},
		templateNoun(t, s, n, tag), productNoun(t, s, n, tag), contactNoun(t, s, n, tag), consentNoun(t, s, n, tag), reachNoun(t, s, n, tag), ledgerNoun(t, s, n, tag),
	}, templateNouns(t, s, n, tag)...)
}

// contactNoun is what the network has said of two handles, of which one has come meanwhile.
func contactNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	came, stays, has := "came-"+tag[:4], "stays-"+tag[:4], false
	return &noun{name: "contact",
		add: func(tx *store.Tx) error {
			return errors.Join(tx.SaveContact(n, came, has, s.Now), tx.SaveContact(n, stays, true, s.Now))
		},
		change: func(tx *store.Tx) error { has = true; return tx.SaveContact(n, came, has, s.Now) },
		read: func() (any, error) {
			known, err := s.DB.Contacts(t.Context(), n.ID, []string{came, stays, "nobody"}, s.Now)
			later, lateErr := s.DB.Contacts(t.Context(), n.ID, []string{came, stays}, s.Now.Add(store.ContactLife))
			if len(later) > 0 {
				return later, lateErr
			}
			return known, errors.Join(err, lateErr)
		},
		want: func() any { return map[string]bool{came: has, stays: true} }}
}

func templateNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	d := &kabar.TemplateDef{Account: n.Account, Name: "hello_" + tag[:4], Language: "id", Category: kabar.CategoryUtility,
		Status: kabar.TemplatePending, Components: []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: "Hello {{1}}"}}}
	return &noun{name: "template", add: func(tx *store.Tx) error { return tx.SaveTemplate(d) },
		change: func(tx *store.Tx) error { d.Status = kabar.TemplateApproved; return tx.SaveTemplate(d) },
		read:   func() (any, error) { return s.DB.Template(t.Context(), n.Account, d.Name, d.Language) },
		want:   func() any { return d }}
}

func productNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	p := &kabar.Product{Account: n.Account, Catalog: "c-" + tag[:4], RetailerID: "mug", Name: "Mug", Price: 12500, Currency: "EUR",
		Image: "https://cdn.example/mug.png", Availability: kabar.InStock}
	save := func(tx *store.Tx) error { _, _, err := tx.SaveProduct(p); return err }
	want := []*kabar.Product{p}
	return &noun{name: "product", add: save, change: func(tx *store.Tx) error { p.Price = 13000; return save(tx) },
		remove: func(tx *store.Tx) error { want = nil; return tx.RemoveProduct(p) },
		read: func() (any, error) {
			return s.DB.Products(t.Context(), n.Account, p.Catalog, []string{"none", p.RetailerID})
		},
		want: func() any { return want }}
}

// mediumNoun compares the medium's key by what it opens.
func mediumNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	m := &store.Medium{Account: n.Account, Number: n.ID, MIME: "image/png", Size: 9, SHA256: "00ff", File: "file-" + tag[:4],
		Filename: "holiday " + tag, Key: secrets.NewKey(), Created: s.Now}
	sealed, want := m.Key.Seal([]byte("bytes"), nil), m
	return &noun{name: "medium", add: func(tx *store.Tx) error { return tx.AddMedium(m) },
		change: func(tx *store.Tx) error {
			want.Used = s.Now.Add(time.Hour)
			return tx.UseMedium(n.ID, m.ID, want.Used)
		},
		remove: func(tx *store.Tx) error { want = nil; _, err := tx.RemoveMedium(n.ID, m.ID); return err },
		read: func() (any, error) {
			got, err := s.DB.Medium(t.Context(), n.ID, m.ID)
			if err != nil {
				return nil, err
			}
			if b, err := got.Key.Open(sealed, nil); err != nil || string(b) != "bytes" {
				return nil, fmt.Errorf("the key has changed: %w", err)
			}
			got.Key = m.Key
			file, key, err := s.DB.SharedFile(t.Context(), n.ID, m.SHA256)
			if err != nil {
				return nil, err
			}
			if b, err := key.Open(sealed, nil); err != nil || string(b) != "bytes" || file != m.File {
				return nil, fmt.Errorf("the shared file %s has another key: %w", file, err)
			}
			return got, nil
		},
		want: func() any { return orNil(want) }}
}

// orNil makes a nil pointer a nil interface.
func orNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}
