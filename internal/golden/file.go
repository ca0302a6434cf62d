package golden

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// File is a file of exchanges.
type File struct {
	Name     string // without folder and ending
	Comment  string // its first lines
	Sections []Section
	path     string
}

// Section is a step of a file, or what is to be seen after it.
type Section struct{ Name, Text string }

// Files reads the exchanges of a folder, by their names.
func Files(folder string) ([]*File, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil {
		return nil, err
	}
	var files []*File
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			return nil, err
		}
		f := &File{Name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path, Comment: string(archive.Comment)}
		for _, s := range archive.Files {
			f.Sections = append(f.Sections, Section{s.Name, string(s.Data)})
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no golden file in %s", folder)
	}
	return files, nil
}

// Has reports whether a section of a name has a text in it.
func (f *File) Has(section, text string) bool {
	return slices.ContainsFunc(f.Sections, func(s Section) bool { return s.Name == section && strings.Contains(s.Text, text) })
}

// CallsBoth reports whether a file of the Cloud API calls /v1, too.
func (f *File) CallsBoth() bool {
	return slices.ContainsFunc(f.Sections, func(s Section) bool { return strings.Contains(s.Text, " /v1/") })
}

// Step plays a section. Of one that shows something it returns what should be seen, as the player can compare it, and what is.
type Step func(s Section) (want, got string, shows bool)

// Play plays the sections in order, has wrong told of each that shows something else, and returns how many were compared.
func (f *File) Play(step Step, wrong func(format string, args ...any)) (compared int) {
	for i, s := range f.Sections {
		want, got, shows := step(s)
		if !shows {
			continue
		}
		if compared++; want != got {
			wrong("section %d (%s):\n--- want\n%s--- got\n%s", i, s.Name, want, got)
		}
	}
	return compared
}

// Rewrite plays the sections in order, and writes what is seen into the file. A section that says so already stays as it is, with its
// moments.
func (f *File) Rewrite(step Step) error {
	archive := &txtar.Archive{Comment: []byte(f.Comment)}
	for _, s := range f.Sections {
		if want, got, shows := step(s); shows && want != got {
			s.Text = got
		}
		archive.Files = append(archive.Files, txtar.File{Name: s.Name, Data: []byte(s.Text)})
	}
	text := txtar.Format(archive)
	if old, err := os.ReadFile(f.path); err != nil || bytes.Equal(old, text) {
		return err
	}
	return os.WriteFile(f.path, text, 0o600) // which keeps the mode of a file that is there
}
