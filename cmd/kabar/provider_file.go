package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"kabar"
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
}

// readClient reads such a file with what it names, and returns every mistake there is.
func readClient(name string) (*clientFile, error) {
	text, err := readAtMost(name, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &clientFile{Currency: kabar.DefaultCurrency, Timezone: kabar.DefaultTimezone}
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %.*s", name, maxComplaint, yaml.FormatError(err, false, false))
	}
	var faults []error
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Errorf(name+": "+format, args...)) }
	if strings.TrimSpace(c.Name) == "" {
		wrong("name is missing: what the client's account is called")
	}
	if c.Credit != "" {
		if _, err := kabar.ParseMoney(c.Credit); err != nil {
			wrong("credit: %v", err)
		}
	}
	beside := filepath.Dir(name)
	for i := range c.Numbers {
		if err := c.Numbers[i].complete(beside, c.Name); err != nil {
			wrong("numbers[%d]: %v", i, err)
		}
	}
	for i, file := range c.Templates {
		c.Templates[i] = filepath.Join(beside, file)
		if _, err := os.Stat(c.Templates[i]); err != nil {
			wrong("templates[%d]: %v", i, err)
		}
	}
	labels := map[string]bool{}
	for i, k := range c.Keys {
		if err := k.check(c.Numbers); err != nil {
			wrong("keys[%d]: %v", i, err)
		}
		if labels[k.Label] {
			wrong("keys[%d]: there are two with the label %q, by which a key is known", i, k.Label)
		}
		labels[k.Label] = true
	}
	return c, errors.Join(faults...)
}

// complete fills in what a number has that is not written.
func (n *clientNumber) complete(beside, account string) error {
	if n.digits = plainDigits(n.Number); n.digits == "" {
		return fmt.Errorf("%q is no phone number: give its digits with the country code, such as \"628111000200\"", n.Number)
	}
	if n.Name == "" {
		n.Name = account
	}
	if err := n.profile().Validate(); err != nil {
		return fmt.Errorf("profile: %w", told(err))
	}
	if n.InviteFile == "" {
		return nil
	}
	flags := inviteFlags{InviteFile: filepath.Join(beside, n.InviteFile)}
	invite, err := flags.read()
	n.invite = invite
	return err
}

func (n *clientNumber) profile() *kabar.Profile {
	p := n.Profile
	return &kabar.Profile{Name: n.Name, About: p.About, Address: p.Address, Description: p.Description, Email: p.Email, Websites: p.Websites,
		Vertical: p.Vertical}
}

func (k *clientKey) check(numbers []clientNumber) error {
	switch {
	case strings.TrimSpace(k.Label) == "":
		return errors.New("label is missing: what the key is for, and known by")
	case (k.Role == "") == (len(k.Scopes) == 0):
		return fmt.Errorf("want a role or scopes, one of the two; the roles are:\n%s", roleHelp())
	case ofNumber(k.Scopes) && k.Number == "" && len(numbers) != 1:
		return errors.New("number is missing: a key of the /v1 API is for one number")
	}
	return nil
}
