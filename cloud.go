package kabar

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// CloudSettings are what the Cloud API alone sets of a number (contract Cloud API, 1.6). Except for Attempts they are kept and
// reported: no customer of the embedded network sees a cart, a menu of commands or a name of this kind.
type CloudSettings struct {
	HideCart    bool `json:",omitempty"` // customers have no cart
	ShowCatalog bool `json:",omitempty"` // customers see the catalog in the profile
	Automation  Automation
	Compliance  *Compliance `json:",omitempty"` // nil: nothing has been said
	Username    string      `json:",omitempty"` // in lower case
	Region      string      `json:",omitempty"` // where the number's data are to stay, a country's code; the server stands where it stands
	Attempts    []time.Time `json:",omitempty"` // of registering and deregistering, in the last 72 hours, oldest first
}

// Automation is what a customer is offered before the first message.
type Automation struct {
	Welcome  bool      `json:"enable_welcome_message"`
	Prompts  []string  `json:"prompts,omitempty"`
	Commands []Command `json:"commands,omitempty"`
}

// Command is what a customer can choose behind a slash.
type Command struct {
	Name        string `json:"command_name"`
	Description string `json:"command_description"`
}

// Limits of an Automation; lengths in characters.
const (
	maxPrompts     = 4
	maxPrompt      = 80
	maxCommands    = 30
	maxCommandName = 32
	maxCommandHint = 256
)

// Validate checks the limits.
func (a *Automation) Validate() error {
	if n := len(a.Prompts); n > maxPrompts {
		return fault(ReasonInvalid, "prompts", "has %d, the limit is %d", n, maxPrompts)
	}
	for i, p := range a.Prompts {
		if err := checkText(fmt.Sprintf("prompts[%d]", i), p, maxPrompt); err != nil {
			return err
		}
	}
	if n := len(a.Commands); n > maxCommands {
		return fault(ReasonInvalid, "commands", "has %d, the limit is %d", n, maxCommands)
	}
	for i, c := range a.Commands {
		field := fmt.Sprintf("commands[%d].", i)
		if err := first(checkText(field+"command_name", c.Name, maxCommandName), checkText(field+"command_description", c.Description, maxCommandHint)); err != nil {
			return err
		}
		if slices.ContainsFunc(a.Commands[:i], func(other Command) bool { return other.Name == c.Name }) {
			return fault(ReasonInvalid, field+"command_name", "is there twice: %q", c.Name)
		}
	}
	return nil
}

// Compliance is what a business in India says of itself.
type Compliance struct {
	Name       string  `json:"entity_name"`
	Type       string  `json:"entity_type"`
	Custom     string  `json:"entity_type_custom,omitempty"`
	Registered bool    `json:"is_registered"`
	Grievance  Officer `json:"grievance_officer_details"`
	Care       Officer `json:"customer_care_details"`
}

// Officer is how somebody of a business is reached.
type Officer struct {
	Name     string `json:"name,omitempty"`
	Email    string `json:"email,omitempty"`
	Mobile   string `json:"mobile_number,omitempty"`
	Landline string `json:"landline_number,omitempty"`
}

// Validate checks that nothing is missing.
func (c *Compliance) Validate() error {
	types := []string{"LIMITED_LIABILITY_PARTNERSHIP", "SOLE_PROPRIETORSHIP", "PARTNERSHIP", "PUBLIC_COMPANY", "PRIVATE_COMPANY", "OTHER"}
	const most = 256
	switch err := first(checkText("entity_name", c.Name, most), checkText("grievance_officer_details.name", c.Grievance.Name, most)); {
	case err != nil:
		return err
	case !slices.Contains(types, c.Type):
		return fault(ReasonInvalid, "entity_type", "is not known; allowed are: %s", strings.Join(types, ", "))
	case c.Type == "OTHER" && c.Custom == "":
		return fault(ReasonMissing, "entity_type_custom", "is required with entity_type OTHER")
	case !emailForm.MatchString(c.Grievance.Email):
		return fault(ReasonInvalid, "grievance_officer_details.email", "is no address such as shop@example.com")
	case !emailForm.MatchString(c.Care.Email):
		return fault(ReasonInvalid, "customer_care_details.email", "is no address such as shop@example.com")
	}
	return nil
}

var (
	usernameForm = regexp.MustCompile(`^[a-z0-9_]+(?:\.[a-z0-9_]+)*$`)
	domainEnd    = regexp.MustCompile(`\.(?:com|org|net|int|edu|gov|mil|us|in|io|ai|html)$`)
)

// CheckUsername checks the name by which a business wants to be found, in lower case.
func CheckUsername(name string) error {
	switch {
	case len(name) < 3 || len(name) > 35:
		return fault(ReasonInvalid, "username", "must have 3 to 35 characters")
	case !usernameForm.MatchString(name):
		return fault(ReasonInvalid, "username", "may have letters a to z, digits, underscores and single full stops between them")
	case !strings.ContainsAny(name, "abcdefghijklmnopqrstuvwxyz"):
		return fault(ReasonInvalid, "username", "must have a letter")
	case strings.HasPrefix(name, "www") || domainEnd.MatchString(name):
		return fault(ReasonInvalid, "username", "must not look like an address of a website")
	}
	return nil
}
