package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// print writes what holds for the selected command as a configuration file, with where each value comes from. What it
// writes can be read again, but for secrets, which are redacted.
func (s *settings) print(w io.Writer, k *kong.Context) error {
	program, _ := programOf(k)
	fmt.Fprintf(w, "# kabar %s: what holds, and where it comes from.\n", program)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range k.Flags() {
		if !isKey(f) || f.Name == "config" || s.yields(k, f) {
			continue
		}
		text, err := shown(f, k.FlagValue(f))
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s: %s\t# %s\n", f.Name, text, s.where(k, f))
	}
	return t.Flush()
}

// where names the place a value comes from as a person would look for it.
func (s *settings) where(k *kong.Context, f *kong.Flag) string {
	switch from := s.origin(k, f); from {
	case fromFile:
		return "file " + s.file
	case fromEnvironment:
		return "environment " + variable(f)
	default:
		return string(from)
	}
}

// shown writes a value as YAML on one line.
func shown(f *kong.Flag, value any) (string, error) {
	if text := fmt.Sprint(value); secretIn(f, text) {
		value = redact(f, text)
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice && v.Len() == 0 {
		return "[]", nil
	}
	if text, ok := value.(fmt.Stringer); ok {
		value = text.String()
	}
	if text, ok := value.(string); ok && strings.ContainsFunc(text, unicode.IsControl) {
		quoted, err := json.Marshal(text) // a text in quotes, as YAML has it, too
		return string(quoted), err
	}
	text, err := yaml.MarshalWithOptions(value, yaml.Flow(true))
	return string(text[:max(len(text)-1, 0)]), err
}

// redact shows what is not secret in a value that has a secret in it.
func redact(f *kong.Flag, text string) string {
	u, err := url.Parse(text)
	if f.Tag.Has(tagSecret) && f.Tag.Get(tagSecret) != "url" || err != nil || u.Scheme == "" || u.Opaque != "" {
		return "[redacted]"
	}
	q := u.Query()
	for _, name := range secretParameters {
		if q.Has(name) {
			q.Set(name, "xxxxx")
			u.RawQuery = q.Encode()
		}
	}
	return u.Redacted()
}
