package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml/ast"
)

const envPrefix = "KABAR_"

// testVariables are read by the test suite, not by the program.
var testVariables = []string{"KABAR_META_OPENAPI", "KABAR_TEST_CLIENTS", "KABAR_TEST_POSTGRES"}

// configFile finds --config before the flags are parsed, since it decides their defaults; of several the last counts, as with
// every flag.
func configFile(args, environ []string) string {
	for i, a := range slices.Backward(args) {
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	v, _ := lookup(environ, envPrefix+"CONFIG")
	return v
}

// lookup finds a variable; of several the last counts, as in a shell.
func lookup(environ []string, name string) (value string, ok bool) {
	for _, e := range environ {
		if v, found := strings.CutPrefix(e, name+"="); found {
			value, ok = v, true
		}
	}
	return value, ok
}

// settings are the places, beside the command line, where a flag can get its value: the environment, and behind it the
// configuration file. A flag on the command line comes before both.
type settings struct {
	file    string // empty: none
	values  map[string]ast.Node
	environ []string
}

// readSettings reads the configuration file, if there is one.
func readSettings(file string, environ []string) (*settings, error) {
	s := &settings{file: file, environ: environ}
	if file == "" {
		return s, nil
	}
	var err error
	s.values, err = readConfig(file)
	return s, err
}

// Validate implements kong.Resolver: a key that is no flag of any command is a mistake, and so is a value that no flag takes.
func (s *settings) Validate(app *kong.Application) error {
	flags := allFlags(app.Node)
	for key, value := range s.values {
		i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == key })
		if i < 0 || key == "config" {
			return fmt.Errorf("%s: %w", s.file, noKey(app, key, names(flags)))
		}
		text, err := flagText(flags[i], value)
		if err == nil {
			err = fits(flags[i], text)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", s.file, key, err)
		}
	}
	return nil
}

// noKey says why a key cannot stand in a file.
func noKey(app *kong.Application, key string, known []string) error {
	if key == "config" {
		return errors.New("config names the file itself, and cannot stand in it")
	}
	if slices.Contains(callFlags(app.Node), key) {
		return fmt.Errorf("%q is no key: it says what one call of a command is to do; give it as --%s", key, key)
	}
	return fmt.Errorf("unknown key %q%s", key, nearest(key, known))
}

// callFlags are the names of the flags that are no keys.
func callFlags(n *kong.Node) (all []string) {
	for _, f := range n.Flags {
		if !isKey(f) {
			all = append(all, f.Name)
		}
	}
	for _, c := range n.Children {
		all = append(all, callFlags(c)...)
	}
	return all
}

// Resolve implements kong.Resolver.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isKey(flag) {
		return nil, nil
	}
	if text, ok := lookup(s.environ, variable(flag)); ok {
		return checked(flag, variable(flag), text, fits(flag, text))
	}
	if v, ok := s.values[flag.Name]; ok {
		text, err := flagText(flag, v)
		if err == nil {
			err = fits(flag, text)
		}
		return checked(flag, s.file, text, err)
	}
	return nil, nil
}

// checked is the answer to kong: a value, or what is wrong with it where it stands.
func checked(flag *kong.Flag, place, text string, err error) (any, error) {
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", place, err)
	case text == "" && flag.Tag.Type == "path": // kong would make the working directory of it
		return nil, nil
	}
	return text, nil
}

// rank is how near to the person a value was given: 0 is the default.
func (s *settings) rank(k *kong.Context, flag *kong.Flag) int {
	return slices.Index([]origin{fromDefault, fromFile, fromEnvironment, fromCommandLine}, s.origin(k, flag))
}

// yield takes the values away of flags to which an alternative was given nearer to the person.
func (s *settings) yield(k *kong.Context) {
	for _, f := range k.Flags() {
		if s.yields(k, f) {
			f.Target.SetZero()
		}
	}
}

func (s *settings) yields(k *kong.Context, flag *kong.Flag) bool {
	return s.rank(k, flag) < s.best(k, flag)
}

// best is the highest rank among the flags that are alternatives to flag: those with the same tag alternative. What is given nearer
// replaces what stands farther away, as with a single flag.
func (s *settings) best(k *kong.Context, flag *kong.Flag) int {
	most := 0
	for _, other := range k.Flags() {
		if of := flag.Tag.Get(tagAlternative); of != "" && other.Tag.Get(tagAlternative) == of {
			most = max(most, s.rank(k, other))
		}
	}
	return most
}

// variable is the environment variable of a key.
func variable(flag *kong.Flag) string { return flag.Envs[0] }

// isKey reports whether a flag is part of a configuration. Flags marked env:"-" say what one call of a command is to do.
func isKey(flag *kong.Flag) bool { return len(flag.Envs) > 0 }

// allFlags returns the keys of a command and of all below it, each name once.
func allFlags(n *kong.Node) []*kong.Flag {
	flags := slices.DeleteFunc(slices.Clone(n.Flags), func(f *kong.Flag) bool { return !isKey(f) })
	for _, c := range n.Children {
		for _, f := range allFlags(c) {
			if !slices.Contains(names(flags), f.Name) {
				flags = append(flags, f)
			}
		}
	}
	return flags
}

func names(flags []*kong.Flag) []string {
	out := make([]string, len(flags))
	for i, f := range flags {
		out[i] = f.Name
	}
	return out
}
