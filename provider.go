package kabar

// MaxProvider is the longest name of a media provider, and the longest of each of its credentials, in characters.
const MaxProvider = 256

// Provider is where media that are named by a link come from: credentials that are sent with the request for a link, and
// nowhere else. It has a user name and a password, or a token.
type Provider struct {
	Name     string `json:"name"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	Bearer   string `json:"bearer,omitempty"`
}

// Validate checks that there is a name, and one kind of credentials that can stand in a header (contract On-Premises API,
// section 1.7). The error names the field below the provider.
func (p *Provider) Validate() error {
	if p.Name == "" {
		return fault(ReasonMissing, "name", "is required")
	}
	if (p.Username == "") == (p.Bearer == "") {
		return fault(ReasonInvalid, "config", "needs basic, with a username and a password, or bearer, with a token")
	}
	for _, f := range []struct{ field, value string }{
		{"name", p.Name}, {"config.basic.username", p.Username}, {"config.basic.password", p.Password}, {"config.bearer", p.Bearer},
	} {
		if err := first(checkString(f.field, f.value), checkMax(f.field, f.value, MaxProvider), checkPrintable(f.field, f.value)); err != nil {
			return err
		}
	}
	return nil
}

// checkPrintable refuses what could end a header or hide in it.
func checkPrintable(field, s string) error {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return fault(ReasonInvalid, field, "has a control character")
		}
	}
	return nil
}
