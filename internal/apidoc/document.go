// Package apidoc publishes a description of an API: an OpenAPI 3.1 document, written by hand in YAML files, as JSON and
// as a page to read.
//
// The files together are one document. Beside OpenAPI they have two notes of ours, which are written out before anybody
// sees the document: x-errors, the error codes that an operation can answer, and x-headers, what answers have in common
// (expand.go). The package knows no route and no dialect: that the document tells the truth is for the tests of the
// package that owns the files.
//
// The page is drawn on the server and works without a script. Everything here is safe for concurrent use.
package apidoc

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// Document is an OpenAPI document.
type Document struct {
	root *object
	json []byte
}

// JSON returns the document as it is served. It must not be changed.
func (d *Document) JSON() []byte { return d.json }

// Read reads the document from the YAML files (*.yaml) at the top of a folder, in the order of their names. A path, a
// webhook or a component stands in one file; a name that two files have is an error.
func Read(files fs.FS) (*Document, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) == 0 {
		return nil, errors.Join(errors.New("there is no file of an API document"), err)
	}
	slices.Sort(names)
	root := newObject()
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read the API document: %w", err)
		}
		part, err := parse(text)
		if err == nil {
			err = merge(root, part, "")
		}
		if err != nil {
			return nil, fmt.Errorf("read the API document: %s: %w", name, err)
		}
	}
	if err := expand(root); err != nil {
		return nil, fmt.Errorf("read the API document: %w", err)
	}
	d := &Document{root: root}
	if d.json, err = encode(root); err != nil {
		return nil, fmt.Errorf("write the API document: %w", err)
	}
	return d, nil
}

// shared are the objects to which several files add, by where they are.
var shared = []string{"/paths", "/webhooks", "/components", "/components/*"}

// merge adds the members of from, at a place of the document, to those of to. Lists of tags go on.
func merge(to, from *object, at string) error {
	for name, value := range from.all() {
		place := at + "/" + name
		old := to.get(name)
		if old == nil {
			to.set(name, value)
			continue
		}
		if a, ok := old.([]any); ok && place == "/tags" {
			more, _ := value.([]any)
			to.set(name, append(a, more...))
			continue
		}
		a, isObject := old.(*object)
		b, alike := value.(*object)
		if !isObject || !alike || !slices.ContainsFunc(shared, func(p string) bool { ok, _ := path.Match(p, place); return ok }) {
			return fmt.Errorf("%s stands in another file as well", place)
		}
		if err := merge(a, b, place); err != nil {
			return err
		}
	}
	return nil
}
