package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
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
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, envPrefix+"CONFIG="); ok {
			return v
		}
	}
	return ""
}

// settings are the keys of a configuration file. They stand behind flags and the environment.
type settings struct {
	file   string
	values map[string]any
}

func readConfig(file string) (*settings, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	s := &settings{file: file, values: map[string]any{}}
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
	v, ok := s.values[flag.Name]
	if !ok {
		return nil, nil
	}
	return flagText(flag, v)
}

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

// checkEnvironment refuses variables that look like ours and are not: a security setting that was misspelt must not go
// unnoticed.
func checkEnvironment(app *kong.Application, environ []string) error {
	known := slices.Clone(testVariables)
	for _, name := range names(allFlags(app.Node)) {
		known = append(known, envPrefix+strings.ToUpper(strings.ReplaceAll(name, "-", "_")))
	}
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) {
			return fmt.Errorf("unknown environment variable %s%s", name, nearest(name, known))
		}
	}
	return nil
}

// allFlags returns the flags of a command and of all below it.
func allFlags(n *kong.Node) []*kong.Flag {
	flags := slices.Clone(n.Flags)
	for _, c := range n.Children {
		flags = append(flags, allFlags(c)...)
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

// nearest returns ", did you mean …?" with the known name that is most like the given one.
func nearest(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}
