package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

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
	if err := inUTF8(name, text); err != nil {
		return "", err
	}
	return string(text), nil
}

// inUTF8 refuses a text in another encoding. It is found out here, since what goes to the running program as JSON has lost the bytes that
// are no UTF-8.
func inUTF8(name string, text []byte) error {
	if utf8.Valid(text) && !bytes.Contains(text, []byte{0}) {
		return nil
	}
	kind := "is not in UTF-8"
	switch {
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}), bytes.HasPrefix(text, []byte{0xfe, 0xff}), bytes.Contains(text, []byte{0}):
		kind = "is in UTF-16, not in UTF-8"
	default:
		for i, line := range bytes.Split(text, []byte("\n")) {
			if !utf8.Valid(line) {
				kind = fmt.Sprintf("is not in UTF-8: line %d has bytes of another encoding, such as Windows-1252 or ISO 8859-1", i+1)
				break
			}
		}
	}
	return &usageError{fmt.Errorf("%s %s. Save it as UTF-8: in a spreadsheet, as \"CSV UTF-8\"", name, kind)}
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
