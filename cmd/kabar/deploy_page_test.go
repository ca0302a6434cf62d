package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// block is a fenced block of docs/deploy.md. The words behind its fence say what is done with it:
//
//	sh [sqlite|postgres]                commands, run one after the other, as a reader types them
//	sh restore [sqlite|postgres]        likewise, when the machine's data are lost
//	sh install                          not run: it needs a package manager
//	yaml edit [sqlite|postgres] FILE    keys to set in a file
type block struct {
	section string // the number of its heading
	words   []string
	text    string
	line    int
}

// is reports whether a word stands behind the fence.
func (b *block) is(word string) bool { return slices.Contains(b.words, word) }

// meant reports whether the block is for a machine with this database.
func (b *block) meant(database string) bool {
	return b.is(database) || !b.is("sqlite") && !b.is("postgres")
}

// commands are the logical lines of a block.
func (b *block) commands() (all []string) {
	text := strings.ReplaceAll(b.text, "\\\n", "\\\x00")
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(strings.ReplaceAll(line, "\x00", "\n")); line != "" {
			all = append(all, line)
		}
	}
	return all
}

const deployPage = "../../docs/deploy.md"

// readPage returns the blocks of the page.
func readPage(t *testing.T) (all []*block) {
	t.Helper()
	text, err := os.ReadFile(deployPage)
	if err != nil {
		t.Fatal(err)
	}
	var in *block
	section := ""
	for i, line := range strings.SplitAfter(string(text), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case in != nil && isFence:
			in = nil
		case in != nil:
			in.text += line
		case isFence:
			in = &block{section: section, words: strings.Fields(fence), line: i + 1}
			all = append(all, in)
		case strings.HasPrefix(line, "## "):
			section, _, _ = strings.Cut(strings.TrimPrefix(line, "## "), ".")
		}
	}
	return all
}

// Every block of the page is one that the test knows what to do with, and every section that needs commands has some.
func TestDeployPageIsWhole(t *testing.T) {
	commands := map[string]int{}
	for _, b := range readPage(t) {
		known := len(b.words) > 0 && (b.words[0] == "sh" || b.words[0] == "yaml" && b.is("edit") && strings.HasPrefix(b.words[len(b.words)-1], "/etc/kabar/"))
		for _, w := range b.words[min(1, len(b.words)):] {
			known = known && (slices.Contains([]string{"install", "restore", "edit", "sqlite", "postgres"}, w) || strings.HasPrefix(w, "/etc/kabar/"))
		}
		if !known {
			t.Errorf("line %d: nobody knows what to do with a block of %q", b.line, b.words)
		}
		if b.words[0] == "yaml" {
			if err := yaml.Unmarshal([]byte(b.text), &map[string]any{}); err != nil {
				t.Errorf("line %d: %v", b.line, err)
			}
		}
		commands[b.section] += len(b.commands())
	}
	for _, section := range []string{"0", "1", "2", "3", "4", "5", "6", "7"} {
		if commands[section] == 0 {
			t.Errorf("section %s has no commands", section)
		}
	}
}

var keyOfLine = regexp.MustCompile(`^([a-z][a-z-]*):`)

// setKeys returns the text of a configuration file with the keys of an edit set: where the sample has the key, also as a
// comment, its line is replaced.
func setKeys(config, edit string) (string, error) {
	for line := range strings.Lines(edit) {
		key := keyOfLine.FindString(line)
		if key == "" {
			return "", fmt.Errorf("%q sets no key", line)
		}
		at := regexp.MustCompile(`(?m)^(# )?` + regexp.QuoteMeta(key) + `.*\n`).FindStringIndex(config)
		if at == nil {
			return "", fmt.Errorf("the sample file has no key %s", key)
		}
		config = config[:at[0]] + strings.TrimRight(line, "\n") + "\n" + config[at[1]:]
	}
	return config, nil
}
