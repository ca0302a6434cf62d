package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"
)

// Tags of flags and commands, beside kong's own.
const (
	tagProgram     = "program"     // of a command: the program whose configuration file it reads, when that is not its own name; "-": any
	tagSecret      = "secret"      // of a flag: its value is one ("" ), or may hold one ("url": the password)
	tagAlternative = "alternative" // of flags that are alternatives: what they are
	tagReload      = "reload"      // of a flag: a running program takes a change over on SIGHUP
)

// origin is where the value of a flag comes from.
type origin string

const (
	fromDefault     origin = "default"
	fromFile        origin = "file"
	fromEnvironment origin = "environment"
	fromCommandLine origin = "command line"
)

// origin says where a flag of a parsed command line has its value from.
func (s *settings) origin(k *kong.Context, flag *kong.Flag) origin {
	for _, p := range k.Path {
		if p.Flag == flag && !p.Resolved {
			return fromCommandLine
		}
	}
	if !isKey(flag) {
		return fromDefault
	}
	if _, ok := lookup(s.environ, variable(flag)); ok {
		return fromEnvironment
	}
	if _, ok := s.values[flag.Name]; ok {
		return fromFile
	}
	return fromDefault
}

// check refuses what kong lets pass: keys of another program's file, and secrets where others can read them.
func (s *settings) check(k *kong.Context) error {
	if k.Selected() == nil {
		return nil
	}
	program, own := programOf(k)
	for key := range s.values {
		if program != "-" && !slices.Contains(own, key) {
			return fmt.Errorf("%s: %q is no key of kabar %s%s", s.file, key, program, nearest(key, own))
		}
	}
	for _, f := range k.Flags() {
		if from := s.origin(k, f); (from == fromFile || from == fromEnvironment) && !s.mayBeThere(k, f) {
			return fmt.Errorf("%s: a secret is not taken from %s, where more can read it than need to: %s, or allow it with --allow-inline-secrets",
				f.Name, map[origin]string{fromFile: "the configuration file", fromEnvironment: "the environment"}[from], instead(f))
		}
	}
	return nil
}

// mayBeThere reports whether the value of a flag may stand in the environment or the file.
func (s *settings) mayBeThere(k *kong.Context, f *kong.Flag) bool {
	for _, other := range k.Flags() {
		if other.Name == "allow-inline-secrets" && k.FlagValue(other) == true {
			return true
		}
	}
	return !secretIn(f, fmt.Sprint(k.FlagValue(f)))
}

// instead is the other way to give a secret.
func instead(f *kong.Flag) string {
	switch {
	case !f.Tag.Has(tagSecret):
		return "leave the password out"
	case f.Tag.Get(tagSecret) == "url":
		return "leave the password out and give --" + f.Name + "-password-file"
	}
	return "put it into a file and give --" + f.Name + "-file"
}

// secretIn reports whether a value of the flag is a secret. A password in a URL is one in any flag.
func secretIn(f *kong.Flag, value string) bool {
	if f.Tag.Has(tagSecret) && f.Tag.Get(tagSecret) != "url" {
		return value != ""
	}
	u, err := url.Parse(value)
	switch {
	case value == "":
		return false
	case err != nil || u.Scheme == "" || u.Opaque != "": // whatever it is, it is not shown where it may hold a password
		return f.Tag.Has(tagSecret) || err != nil && strings.Contains(value, "@")
	}
	_, has := u.User.Password()
	return has || slices.ContainsFunc(secretParameters, u.Query().Has)
}

// secretParameters are those of a PostgreSQL URL that are passwords.
var secretParameters = []string{"password", "sslpassword"}

// programOf returns the program whose configuration file the selected command reads, and the keys that file may have: the
// flags of the program and of every command that works on it.
func programOf(k *kong.Context) (name string, keys []string) {
	top := func(n *kong.Node) string {
		for n.Parent != nil && n.Parent.Type != kong.ApplicationNode {
			n = n.Parent
		}
		if p := n.Tag.Get(tagProgram); p != "" {
			return p
		}
		return n.Name
	}
	name = top(k.Selected())
	keys = names(allFlags(&kong.Node{Flags: k.Model.Flags}))
	for _, n := range k.Model.Children {
		if top(n) == name {
			keys = append(keys, names(allFlags(n))...)
		}
	}
	return name, keys
}

// checkEnvironment refuses variables that look like ours and are not: a security setting that was misspelt must not go
// unnoticed.
func checkEnvironment(app *kong.Application, environ []string) error {
	known := slices.Clone(testVariables)
	for _, f := range allFlags(app.Node) {
		known = append(known, variable(f))
	}
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) {
			return errors.New("unknown environment variable " + name + nearest(name, known))
		}
	}
	return nil
}

// nearest returns ", did you mean …?" with the known name that is most like the given one; of equals, the one that begins
// like it.
func nearest(name string, known []string) string {
	best, distance, begins := "", len(name)/2+1, 0
	for _, k := range known {
		a, b := strings.ToLower(name), strings.ToLower(k)
		d, n := levenshtein.ComputeDistance(a, b), common(a, b)
		if d < distance || d == distance && best != "" && n > begins {
			best, distance, begins = k, d, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// common is how many bytes two texts begin with in common.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
