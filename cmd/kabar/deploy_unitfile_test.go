package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// unitFile is a unit: values by "Section.Key", in their order.
type unitFile map[string][]string

// one returns the only value of a key; empty when there is none.
func (u unitFile) one(key string) string {
	if len(u[key]) == 0 {
		return ""
	}
	return u[key][0]
}

func readUnit(file string) (unitFile, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	u, section := unitFile{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = line[1 : len(line)-1]
		case !ok || section == "" || line[len(line)-1] == '\\':
			return nil, fmt.Errorf("%s: %q is no line of a unit that this test understands", filepath.Base(file), line)
		default:
			u[section+"."+key] = append(u[section+"."+key], value)
		}
	}
	return u, nil
}

// unitWords splits a command line of a unit: quotes hold words together, and %% is a per cent sign.
func unitWords(line string) (words []string) {
	var word strings.Builder
	open, quote := false, byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				words = append(words, strings.ReplaceAll(word.String(), "%%", "%"))
				word.Reset()
			}
			open = false
		case quote == 0 && (c == '"' || c == '\''):
			quote, open = c, true
		case c == quote:
			quote = 0
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, strings.ReplaceAll(word.String(), "%%", "%"))
	}
	return words
}
