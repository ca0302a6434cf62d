package payload_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/payload"
)

// golden reads the bytes of version 1: a line "# name" and a line of JSON each.
func golden(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/v1.txt")
	if err != nil {
		t.Fatal(err)
	}
	all, name := map[string]string{}, ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if n, ok := strings.CutPrefix(line, "# "); ok {
			name = n
			continue
		}
		all[name] = line
	}
	return all
}

// The bytes of version 1 never change: phones and servers of different age talk to each other. A field may be added, with
// omitempty and a line here; a field that is renamed or removed needs a version 2.
func TestTheBytesOfVersion1(t *testing.T) {
	want := golden(t)
	for _, s := range samples() {
		b, err := payload.Encode(s.payload, time.UnixMilli(at))
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if string(b) != want[s.name] {
			t.Errorf("# %s\n got %s\nwant %s", s.name, b, want[s.name])
		}
		p, err := payload.Decode([]byte(want[s.name]))
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		s.payload.Version, s.payload.At = payload.Version, at
		if !reflect.DeepEqual(p, s.payload) {
			t.Errorf("%s is read as %+v", s.name, p)
		}
		delete(want, s.name)
	}
	for name := range want {
		t.Errorf("there is no sample for %q", name)
	}
}

// stays are the fields that mean something in one store only. Strip removes them.
var stays = map[string]bool{
	"Media.ID": true, "Media.Link": true, "Media.Provider": true, "Reaction.Target": true, "Reaction.Unknown": true,
	"Template.ID": true, "Template.Namespace": true, "Template.Components": true, "Template.Category": true,
	"Product.Account": true, "Referral.Medium": true,
}

// A field that no sample sets is one whose name on the wire nobody has thought about.
func TestEveryFieldHasItsBytes(t *testing.T) {
	met, set := map[string]bool{}, map[string]bool{}
	kinds := map[string]bool{}
	for _, s := range samples() {
		walk(reflect.ValueOf(s.payload), met, set)
		if m := s.payload.Message; m != nil {
			c, err := kabar.DecodeContent(m.Kind, m.Content)
			if err != nil {
				t.Fatal(err)
			}
			walk(reflect.ValueOf(c), met, set)
			kinds[string(m.Kind)] = true
		}
	}
	delete(met, "Payload.Version") // Encode sets them
	delete(met, "Payload.At")
	for field := range met {
		if set[field] == stays[field] {
			t.Errorf("%s: set in a sample: %v, removed by Strip: %v", field, set[field], stays[field])
		}
	}
	for _, kind := range declaredKinds(t) {
		if !kinds[kind] {
			t.Errorf("the kind %q has no sample", kind)
		}
	}
}

// walk notes every field under v, and which of them are set.
func walk(v reflect.Value, met, set map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), met, set)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), met, set)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if !f.IsExported() {
				continue
			}
			name := v.Type().Name() + "." + f.Name
			met[name] = true
			set[name] = set[name] || !v.Field(i).IsZero()
			walk(v.Field(i), met, set)
		}
	}
}

// declaredKinds reads the constants of type Kind in the root package.
func declaredKinds(t *testing.T) (kinds []string) {
	t.Helper()
	files, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "content_") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../../"+f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for n := range ast.Preorder(file) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) == 0 || spec.Type == nil {
				continue
			}
			if id, ok := spec.Type.(*ast.Ident); !ok || id.Name != "Kind" {
				continue
			}
			kind, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) < 12 {
		t.Fatalf("found only the kinds %v: this test misses its mark", kinds)
	}
	return kinds
}
