package main

import (
	"fmt"

	"kabar/internal/secrets"
)

// secret returns the value of a pair of flags, --NAME and --NAME-file: one of them may be given. Both empty is no secret.
func secret(name, value, file string) (string, error) {
	switch {
	case file == "":
		return value, nil
	case value != "":
		return "", &usageError{fmt.Errorf("--%s and --%s-file say the same: give one of them", name, name)}
	}
	text, err := secrets.ReadPrivate(file)
	if err != nil {
		return "", &usageError{fmt.Errorf("--%s-file: %w", name, err)}
	}
	return text, nil
}
