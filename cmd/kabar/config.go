package main

import (
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

// Validate implements kong.Resolver: a key that is no flag of any command is a mistake.
func (s *settings) Validate(app *kong.Application) error {
	known := flagNames(app.Node)
	for key := range s.values {
		if !slices.Contains(known, key) {
			return fmt.Errorf("%s: unknown key %q%s", s.file, key, nearest(key, known))
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
	return fmt.Sprint(v), nil
}

// checkEnvironment refuses variables that look like ours and are not: a security setting that was misspelt must not go
// unnoticed.
func checkEnvironment(app *kong.Application, environ []string) error {
	known := slices.Clone(testVariables)
	for _, f := range flagNames(app.Node) {
		known = append(known, envPrefix+strings.ToUpper(strings.ReplaceAll(f, "-", "_")))
	}
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) {
			return fmt.Errorf("unknown environment variable %s%s", name, nearest(name, known))
		}
	}
	return nil
}

// flagNames returns the flags of a command and of all below it.
func flagNames(n *kong.Node) []string {
	var names []string
	for _, f := range n.Flags {
		names = append(names, f.Name)
	}
	for _, c := range n.Children {
		names = append(names, flagNames(c)...)
	}
	return names
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
