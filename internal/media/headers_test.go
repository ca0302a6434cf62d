package media

import (
	"mime"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestContentDisposition(t *testing.T) {
	long := strings.Repeat("a", 300)
	tests := []struct{ name, want string }{
		{"invoice.pdf", "invoice.pdf"},
		{"my invoice (2).pdf", "my invoice (2).pdf"},
		{"Rechnung für Ärzte.pdf", "Rechnung für Ärzte.pdf"},
		{"kabar 新闻 🎉.txt", "kabar 新闻 🎉.txt"},
		{"", "file"}, {".", "file"}, {"..", "file"}, {"...", "file"}, {" ", "file"}, {"/", "file"}, {"a/", "file"}, {"\x00", "file"},
		{"../../etc/passwd", "passwd"}, {"/etc/passwd", "passwd"}, {`..\..\boot.ini`, "boot.ini"}, {`\\host\share\x.txt`, "x.txt"},
		{`a/b\c/d.txt`, "d.txt"}, {`C:\x.txt`, "x.txt"}, {"C:x.txt", "C_x.txt"}, {"%2e%2e%2fx", "_2e_2e_2fx"},
		{".htaccess", "htaccess"}, {"x.", "x"}, {"x. . ", "x"},
		{"a\r\nSet-Cookie: b", "aSet-Cookie_ b"}, {"a\x00b", "ab"}, {"a\tb\x7fc\u0085d", "abcd"},
		{`a"b`, "a_b"}, {`a";filename="b`, "a__filename=_b"}, {"a\u2028b\u2029c", "abc"},
		{"invoice\u202efdp.exe", "invoicefdp.exe"}, {"\u2066a\u2069\u200fb\u061c", "ab"}, {"a\u200bb\ufeff", "ab"}, {"a\u3000b", "ab"},
		{"\xff\xfe.txt", "txt"}, {"a\xc3.txt", "a.txt"},
		{"CON", "_CON"}, {"con.txt", "_con.txt"}, {"Com1.tar.gz", "_Com1.tar.gz"}, {"lpt9 .x", "_lpt9 .x"}, {"nul", "_nul"}, {"console.txt", "console.txt"},
		{"a<b>|c?*.txt", "a_b__c__.txt"}, {"it's", "it_s"},
		{long + ".pdf", long[:146] + ".pdf"}, {long, long[:150]}, {"x." + long, "x." + long[:148]},
		{strings.Repeat("é", 100) + ".pdf", strings.Repeat("é", 73) + ".pdf"},
		{strings.Repeat("🎉", 100), strings.Repeat("🎉", 37)},
	}
	for _, test := range tests {
		header := ContentDisposition(test.name)
		if got := filenameOf(t, header); got != test.want {
			t.Errorf("%.60q: saved as %q, want %q (%s)", test.name, got, test.want, header)
		}
	}
}

// filenameOf reads a header as a client does.
func filenameOf(t *testing.T, header string) string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(header)
	if err != nil || kind != "attachment" {
		t.Fatalf("%s: %q, %v", header, kind, err)
	}
	return params["filename"]
}

func FuzzContentDisposition(f *testing.F) {
	for _, name := range []string{"a.pdf", "é.txt", "../x", "a\r\nb", `"`, "\u202e", "CON.txt", strings.Repeat("é", 200)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		header := ContentDisposition(name)
		if len(header) > 1024 {
			t.Fatalf("a header of %d bytes", len(header))
		}
		for i := range len(header) {
			if header[i] < ' ' || header[i] > '~' {
				t.Fatalf("byte %#x in %q", header[i], header)
			}
		}
		got := filenameOf(t, header)
		if got == "" || got == "." || got == ".." || len(got) > maxFilename+1 || !utf8.ValidString(got) || strings.ContainsAny(got, `/\":`) {
			t.Fatalf("%q becomes %q", name, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Fatalf("%q becomes %q with %U", name, got, r)
			}
		}
		if again := filenameOf(t, ContentDisposition(got)); again != got {
			t.Fatalf("%q becomes %q, and that %q", name, got, again)
		}
	})
}

func TestServeHeaders(t *testing.T) {
	h := http.Header{}
	ServeHeaders(h, "text/html", "page.html")
	for name, want := range map[string]string{
		"Content-Type": "text/html", "Content-Disposition": `attachment; filename="page.html"`,
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
