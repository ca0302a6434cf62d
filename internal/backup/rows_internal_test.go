package backup

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"kabar/internal/store"
)

var columns = []store.Column{{Name: "n", Kind: "bigint"}, {Name: "s", Kind: "text"}, {Name: "b", Kind: "bytea"}}

func TestRowsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := []any{rapid.Int64().Draw(t, "n"), rapid.String().Draw(t, "s"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")}
		line, err := appendRow(nil, want)
		if err != nil || bytes.ContainsRune(line, '\n') {
			t.Fatalf("%q, %v", line, err)
		}
		got, err := parseRow(line, columns)
		if err != nil || got[0] != want[0] || got[1] != want[1] || !bytes.Equal(got[2].([]byte), want[2].([]byte)) {
			t.Fatalf("%s: %v, %v, want %v", line, got, err, want)
		}
	})
}

func TestRowsThatAreNone(t *testing.T) {
	for _, row := range [][]any{{"\xff"}, {1}, {nil}, {1.5}} {
		if line, err := appendRow(nil, row); err == nil {
			t.Errorf("%v became %s", row, line)
		}
	}
	for _, line := range []string{``, `[]`, `{}`, `[1,"a"]`, `[1,"a","YQ==",2]`, `["1","a","YQ=="]`, `[1.5,"a","YQ=="]`, `[1e3,"a","YQ=="]`,
		`[9223372036854775808,"a","YQ=="]`, `[1,2,"YQ=="]`, `[1,null,"YQ=="]`, `[1,"a",null]`, `[1,"a","YQ"]`, `[1,"a","\u0059Q=="]`, `[1,"a","YQ=="] x`} {
		if row, err := parseRow([]byte(line), columns); err == nil {
			t.Errorf("%s was read as %v", line, row)
		}
	}
}

func FuzzParseRow(f *testing.F) {
	f.Add([]byte(`[1,"a","YQ=="]`))
	f.Add([]byte(`[-9223372036854775808,"\u0000\ud800",""]`))
	f.Fuzz(func(t *testing.T, line []byte) {
		row, err := parseRow(line, columns)
		if err != nil {
			return
		}
		again, err := appendRow(nil, row)
		if err != nil {
			t.Fatalf("%q was read as %v, which cannot be written: %v", line, row, err)
		}
		if same, err := parseRow(again, columns); err != nil || !reflect.DeepEqual(same, row) {
			t.Fatalf("%v came back as %v, %v", row, same, err)
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	m := Manifest{Format: format, Schema: 1, Tables: []TableFile{{store.Table{Name: "meta", Columns: columns}, File{Path: "tables/meta.jsonl.gz", SHA256: hash0}}},
		Media: Media{File: File{Path: "media.jsonl.gz", SHA256: hash0}}}
	text, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	if _, err := parseManifest(text); err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		if again, err := m.encode(); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%q was read, and is written as %q, %v", text, again, err)
		}
	})
}

const hash0 = "0000000000000000000000000000000000000000000000000000000000000000"

// TestManifestsThatAreNone has manifests whose hash is right.
func TestManifestsThatAreNone(t *testing.T) {
	for what, change := range map[string]func(m *Manifest){
		"a newer format":         func(m *Manifest) { m.Format = 2 },
		"a table that leads out": func(m *Manifest) { m.Tables[0].Path = "tables/../../x" },
		"a table's name":         func(m *Manifest) { m.Tables[0].Name = "../x" },
		"a statement":            func(m *Manifest) { m.Tables[0].Columns[0].Name = "n) SELECT 1; --" },
		"a kind":                 func(m *Manifest) { m.Tables[0].Columns[0].Kind = "int" },
		"a table twice":          func(m *Manifest) { m.Tables = append(m.Tables, m.Tables[0]) },
		"media elsewhere":        func(m *Manifest) { m.Media.Path = "x" },
		"a hash":                 func(m *Manifest) { m.Tables[0].SHA256 = "0" },
	} {
		m := Manifest{Format: format, Schema: 1, Program: "9.9.9",
			Tables: []TableFile{{store.Table{Name: "meta", Columns: append([]store.Column(nil), columns...)}, File{Path: "tables/meta.jsonl.gz", SHA256: hash0}}},
			Media:  Media{File: File{Path: "media.jsonl.gz", SHA256: hash0}}}
		change(&m)
		text, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(text); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}
