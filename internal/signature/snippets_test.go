package signature_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/signature/snippets"
)

// run is how the code in a language is tried: a program that uses it, and the commands that start it.
type run struct {
	program string   // in testdata
	as      string   // its name beside the code
	code    string   // the name of the code, if it is not that of its file
	build   []string // nil: none is needed
	start   []string
}

var runs = map[string]run{
	"Go":         {program: "run.go.txt", as: "main.go", code: "webhooks/verify.go", start: []string{"go", "run", "."}},
	"JavaScript": {program: "run.mjs", as: "run.mjs", start: []string{"node", "run.mjs"}},
	"Python":     {program: "run.py", as: "run.py", start: []string{"python3", "run.py"}},
	"Java":       {program: "Run.java", as: "Run.java", build: []string{"javac", "Run.java"}, start: []string{"java", "Run"}},
	"PHP":        {program: "run.php", as: "run.php", start: []string{"php", "run.php"}},
}

func TestSnippets(t *testing.T) {
	if len(snippets.All()) != len(runs) {
		t.Errorf("%d languages, %d of them are tried", len(snippets.All()), len(runs))
	}
	for _, s := range snippets.All() {
		t.Run(s.Language, func(t *testing.T) {
			t.Parallel()
			r := runs[s.Language]
			for _, command := range [][]string{r.build, r.start} {
				if command == nil {
					continue
				}
				if _, err := exec.LookPath(command[0]); err != nil {
					t.Skipf("!!! NOT CHECKED, the code for webhooks in %s: there is no %s", s.Language, command[0])
				}
			}
			dir := t.TempDir()
			program, err := os.ReadFile(filepath.Join("testdata", r.program))
			if err != nil {
				t.Fatal(err)
			}
			if r.code == "" {
				r.code = s.File
			}
			write(t, filepath.Join(dir, "go.mod"), "module receiver\n\ngo 1.21\n") // for Go
			write(t, filepath.Join(dir, r.as), string(program))
			write(t, filepath.Join(dir, r.code), s.Code)
			if r.build != nil {
				if out, err := command(t, dir, r.build).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			all := requests(t)
			judge(t, command(t, dir, r.start), append(all, unset(all[0])))
		})
	}
}

func command(t *testing.T, dir string, words []string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = dir
	return cmd
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheManualHasTheSnippets(t *testing.T) {
	text, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range snippets.All() {
		if block := "```" + s.Fence + "\n" + s.Code + "```\n"; strings.Count(string(text), block) != 1 {
			t.Errorf("docs/webhooks.md does not have %s as it is in internal/signature/snippets", s.File)
		}
	}
}
