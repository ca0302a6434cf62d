package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is no UTF-8 is refused where it is read, with what to do: on its way to the program that runs its bytes would be lost.
func TestOtherEncodingsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"wa_id,how\n1,José\n":              "",
		"\ufeffwa_id\r\n1\r\n":             "",
		"wa_id,how\n1,Jos\xe9\n":           "is not in UTF-8: line 2 has bytes of another encoding",
		"\xff\xfew\x00a\x00\n\x00":         "is in UTF-16",
		"\xfe\xff\x00w\x00a\x00\n":         "is in UTF-16",
		"w\x00a\x00_\x00i\x00d\x00\n":      "is in UTF-16",
		"\xfe\xff\xd8\x01 and so on, \xe9": "is in UTF-16",
	} {
		name := filepath.Join(t.TempDir(), "list.csv")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readInput(name, "")
		switch {
		case want == "":
			if err != nil || got != text {
				t.Errorf("%q: %q, %v", text, got, err)
			}
		case err == nil || !strings.Contains(err.Error(), `list.csv `+want) ||
			!strings.HasSuffix(err.Error(), `Save it as UTF-8: in a spreadsheet, as "CSV UTF-8"`):
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
