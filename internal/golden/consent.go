package golden

import (
	"fmt"
	"strconv"

	"kabar"
)

// SetConsent is the hand "consent": required, advisory, or cap with how much marketing a customer gets in 24 hours.
func SetConsent(p *kabar.ConsentPolicy, words []string) error {
	switch words[0] {
	case "required", "advisory":
		p.Required = words[0] == "required"
		return nil
	case "cap":
		n, err := strconv.Atoi(words[1])
		p.Cap = n
		return err
	}
	return fmt.Errorf("consent is %q", words)
}
