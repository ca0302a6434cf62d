package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
)

// clientFile is what a client is onboarded from: docs/for-providers.md explains every key.
type clientFile struct {
	Name      string         `yaml:"name"`
	Currency  string         `yaml:"currency"`
	Timezone  string         `yaml:"timezone"`
	Verified  bool           `yaml:"verified"` // whoever runs the server knows who the client is
	Credit    string         `yaml:"credit"`   // a decimal; empty: the line stays as it is
	Numbers   []clientNumber `yaml:"numbers"`
	Templates []string       `yaml:"templates"` // files, beside this one
	Keys      []clientKey    `yaml:"keys"`

	texts []string // of the templates
}

type clientNumber struct {
	Number     string        `yaml:"number"`
	Name       string        `yaml:"name"`        // as customers see it; empty: the account's
	InviteFile string        `yaml:"invite_file"` // of the relay, beside this one
	Profile    clientProfile `yaml:"profile"`

	digits, invite string
}

type clientProfile struct {
	About       string   `yaml:"about"`
	Address     string   `yaml:"address"`
	Description string   `yaml:"description"`
	Email       string   `yaml:"email"`
	Websites    []string `yaml:"websites"`
	Vertical    string   `yaml:"vertical"`
}

type clientKey struct {
	Label  string   `yaml:"label"`
	Role   string   `yaml:"role"`
	Scopes []string `yaml:"scopes"`
	Number string   `yaml:"number"` // of a key for the /v1 API; empty: the client's only one

	digits string
}

// readClient reads such a file with what it names, and returns every mistake there is.
func readClient(name string) (*clientFile, error) {
	text, err := readAtMost(name, maxConfig)
	if err != nil {
		return nil, err
	}
	if err := inUTF8(name, text); err != nil {
		return nil, err
	}
	if _, err := oneDocument(name, "client", text); err != nil {
		return nil, err
	}
	c := &clientFile{Currency: kabar.DefaultCurrency, Timezone: kabar.DefaultTimezone}
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %.*s", name, maxComplaint, yaml.FormatError(err, false, false))
	}
	var faults []error
	c.check(filepath.Dir(name), func(format string, args ...any) { faults = append(faults, fmt.Errorf(name+": "+format, args...)) })
	return c, errors.Join(faults...)
}

// wrong takes a mistake.
type wrong func(format string, args ...any)

// check fills in what is not written, reads the files that are named, beside the client's own, and tells of every mistake.
func (c *clientFile) check(beside string, wrong wrong) {
	if n := utf8.RuneCountInString(c.Name); strings.TrimSpace(c.Name) == "" {
		wrong("name is missing: what the client's account is called")
	} else if n > engine.MaxAccountName {
		wrong("name: has %d characters, it must have 1 to %d", n, engine.MaxAccountName)
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "Local" {
		wrong("timezone: is %.60q, which is no name of the tz database, such as Asia/Jakarta", c.Timezone)
	}
	if c.Credit != "" {
		if limit, err := kabar.ParseMoney(c.Credit); err != nil {
			wrong("credit: %v", err)
		} else if limit < 0 {
			wrong("credit: is %s, it must be 0 to %s", limit, kabar.MaxMoney)
		}
	}
	numbers := map[string]int{}
	for i := range c.Numbers {
		n := &c.Numbers[i]
		n.check(beside, c.Name, func(format string, args ...any) { wrong("numbers[%d]: "+format, slices.Concat([]any{i}, args)...) })
		if first, twice := numbers[n.digits]; twice && n.digits != "" {
			wrong("numbers[%d]: %s is there twice, first as numbers[%d]", i, n.digits, first)
		} else {
			numbers[n.digits] = i
		}
	}
	c.checkTemplates(beside, wrong)
	labels := map[string]bool{}
	for i := range c.Keys {
		k := &c.Keys[i]
		k.check(c.Numbers, func(format string, args ...any) { wrong("keys[%d]: "+format, slices.Concat([]any{i}, args)...) })
		if labels[k.Label] {
			wrong("keys[%d]: there are two with the label %q, by which a key is known", i, k.Label)
		}
		labels[k.Label] = true
	}
}

// checkTemplates reads the files of templates.
func (c *clientFile) checkTemplates(beside string, wrong wrong) {
	seen := map[[2]string]int{}
	for i, file := range c.Templates {
		text, err := readInput(filepath.Join(beside, file), inSeveral)
		if err != nil {
			wrong("templates[%d]: %v", i, err)
			continue
		}
		c.texts = append(c.texts, text)
		defs, faults := lintedTemplates([]byte(text))
		for _, f := range faults {
			wrong("templates[%d]: %s: %s", i, file, f)
		}
		for _, d := range defs {
			key := [2]string{d.Name, d.Language}
			if first, twice := seen[key]; twice {
				wrong("templates[%d]: %s: %s %s is in templates[%d], too", i, file, d.Name, d.Language, first)
			}
			seen[key] = i
		}
	}
}

// check fills in what a number has that is not written.
func (n *clientNumber) check(beside, account string, wrong wrong) {
	if n.digits = plainDigits(n.Number); n.digits == "" {
		wrong("%q is no phone number: give its digits with the country code, such as \"628111000200\"", n.Number)
	}
	if n.Name == "" {
		n.Name = account
	}
	if err := checkBusinessName(n.Name); err != nil && n.Name != account {
		wrong("name: want 1 to %d characters on one line", maxBusinessName)
	}
	if err := n.profile().Validate(); err != nil && n.Name != "" {
		wrong("profile: %v", told(err))
	}
	if n.InviteFile == "" {
		return
	}
	flags := inviteFlags{InviteFile: filepath.Join(beside, n.InviteFile)}
	invite, err := flags.read()
	if n.invite = invite; err != nil {
		wrong("invite_file: %v", err)
	}
}

func (n *clientNumber) profile() *kabar.Profile {
	p := n.Profile
	return &kabar.Profile{Name: n.Name, About: p.About, Address: p.Address, Description: p.Description, Email: p.Email, Websites: p.Websites,
		Vertical: p.Vertical}
}

// check fills in the number of a key that needs one. Whether a number that is not among those of the file is the client's is not
// known here.
func (k *clientKey) check(numbers []clientNumber, wrong wrong) {
	if strings.TrimSpace(k.Label) == "" {
		wrong("label is missing: what the key is for, and known by")
	}
	if (k.Role == "") == (len(k.Scopes) == 0) {
		wrong("want a role or scopes, one of the two; the roles are:\n%s", roleHelp())
	} else if err := (&auth.Grant{Role: k.Role, Scopes: k.Scopes, Label: k.Label}).Check(); err != nil {
		wrong("%v", told(err))
	}
	if slices.Contains(k.Scopes, auth.ScopeLab) {
		wrong("scopes: %s is for who runs the server: it moves the clock of all its accounts", auth.ScopeLab)
	}
	if k.digits = plainDigits(k.Number); k.digits == "" && k.Number != "" {
		wrong("number: %q is no phone number", k.Number)
	}
	switch {
	case k.Number != "" || !ofNumber(k.Scopes):
	case len(numbers) == 1:
		k.digits = numbers[0].digits
	default:
		wrong("number is missing: a key of the /v1 API is for one number")
	}
}
