package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

const envPrefix = "KABAR_"

// testVariables are read by the test suite, not by the program.
var testVariables = []string{"KABAR_TEST_POSTGRES"}

// configFile finds --config before the flags are parsed, since it decides their defaults.
func configFile(args, environ []string) string {
	for i, a := range args {
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
	values  map[string]any
	environ []string
}

// readSettings reads the configuration file, if there is one.
func readSettings(file string, environ []string) (*settings, error) {
	s := &settings{file: file, values: map[string]any{}, environ: environ}
	if file == "" {
		return s, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(text, &s.values, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, true))
	}
	return s, nil
}

// Validate implements kong.Resolver: a key that is no flag of any command is a mistake, and so is a value that no flag takes.
func (s *settings) Validate(app *kong.Application) error {
	flags := allFlags(app.Node)
	for key, value := range s.values {
		i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == key })
		if i < 0 {
			return fmt.Errorf("%s: unknown key %q%s", s.file, key, nearest(key, names(flags)))
		}
		if _, err := flagText(flags[i], value); err != nil {
			return fmt.Errorf("%s: %s: %w", s.file, key, err)
		}
	}
	return nil
}

// Resolve implements kong.Resolver.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isKey(flag) {
		return nil, nil
	}
	if v, ok := lookup(s.environ, variable(flag)); ok {
		return v, nil
	}
	if v, ok := s.values[flag.Name]; ok {
		return flagText(flag, v)
	}
	return nil, nil
}

// variable is the environment variable of a key.
func variable(flag *kong.Flag) string { return flag.Envs[0] }

// flagText writes a value of the file as it would stand on the command line.
func flagText(flag *kong.Flag, value any) (string, error) {
	list, ok := value.([]any)
	if !ok {
		return scalar(value)
	}
	if !flag.IsSlice() {
		return "", errors.New("is a list, and takes one value")
	}
	texts := make([]string, len(list))
	for i, v := range list {
		text, err := scalar(v)
		if err != nil {
			return "", fmt.Errorf("[%d] %w", i, err)
		}
		texts[i] = text
	}
	return kong.JoinEscaped(texts, flag.Tag.Sep), nil
}

func scalar(value any) (string, error) {
	switch value.(type) {
	case nil:
		return "", errors.New("has no value")
	case map[string]any, []any:
		return "", errors.New("holds more keys or lists: keys are flags, and their values a text, a number, true or false, or a list of these")
	}
	return fmt.Sprint(value), nil
}

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
