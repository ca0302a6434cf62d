package instrument_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/torture/instrument"
)

// tree is a small module in a folder of its own.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "cmd"), 0o700); err != nil {
		t.Fatal(err)
	}
	return root
}

const work = "// Package work.\npackage work\n\nfunc Do() {\n\t//failpoint:before\n\tprintln(\"done\")\n}\n"

func TestCommentsBecomeCallsAndEditsArePutIn(t *testing.T) {
	root := tree(t, map[string]string{"internal/work/work.go": work, "internal/rest/rest.go": "package rest\n"})
	s := instrument.Source{Root: root, Edits: []instrument.Edit{{File: "internal/work/work.go", Old: `println("done")`, New: `println("not done")`}},
		Added: map[string]string{"internal/work/more.go": "package work\n"}}
	file, err := s.Overlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &overlay); err != nil {
		t.Fatal(err)
	}
	if len(overlay.Replace) != 2 {
		t.Errorf("replaced: %v", overlay.Replace)
	}
	changed, err := os.ReadFile(overlay.Replace[filepath.Join(root, "internal/work/work.go")])
	if err != nil {
		t.Fatal(err)
	}
	want := "// Package work.\npackage work; import _torture \"kabar/internal/torture/failpoint\"\n\nfunc Do() {\n\t_torture.Hit(\"before\")\n\tprintln(\"not done\")\n}\n"
	if string(changed) != want {
		t.Errorf("the changed file is\n%s", changed)
	}
}

func TestWhatDoesNotFitIsAnError(t *testing.T) {
	root := tree(t, map[string]string{"internal/work/work.go": work, "internal/twice/twice.go": strings.ReplaceAll(work, "package work", "package twice")})
	if _, err := (instrument.Source{Root: root}).Points(); err == nil || !strings.Contains(err.Error(), "a name is for one moment") {
		t.Errorf("a name that stands twice: %v", err)
	}
	for _, e := range []instrument.Edit{
		{File: "internal/work/work.go", Old: "gone"}, {File: "internal/work/work.go", Old: "n"}, {File: "internal/nowhere.go", Old: "n"},
	} {
		if _, err := (instrument.Source{Root: root, Edits: []instrument.Edit{e}}).Overlay(t.TempDir()); err == nil {
			t.Errorf("%+v was put in", e)
		}
	}
}
