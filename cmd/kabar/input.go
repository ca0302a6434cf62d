package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"kabar/internal/control"
)

// maxInput is the largest file that an import takes, in bytes: it goes to the running program in one call, where quotes and line
// ends take two bytes.
const maxInput = control.MaxRequest / 2

// readInput reads a file that somebody has named, whatever it is: a device or a pipe that never ends is refused, too. Errors are
// mistakes of whoever typed the command; parts says how to give less.
func readInput(name, parts string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", &usageError{err}
	}
	defer func() { _ = f.Close() }() // read only
	text, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	if err != nil {
		return "", &usageError{err}
	}
	if len(text) > maxInput {
		return "", &usageError{fmt.Errorf("%s has more than %d MiB: %s", name, maxInput>>20, parts)}
	}
	return string(text), nil
}

// errNotConfirmed ends a command that was not confirmed.
var errNotConfirmed = errors.New("nothing was done: type yes, or add --yes")

// confirm asks whether to go on. Anything but "yes" is no, and so is the end of the input.
func confirm(s streams, question string) error {
	if _, err := fmt.Fprintf(s.err, "%s\nType yes to go on: ", question); err != nil {
		return err
	}
	var word string
	if _, err := fmt.Fscanln(os.Stdin, &word); err != nil || word != "yes" {
		return &usageError{errNotConfirmed}
	}
	return nil
}
