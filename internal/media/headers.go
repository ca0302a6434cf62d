package media

import (
	"net/http"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ServeHeaders sets the headers for an answer that carries a file: its type and a name to save it under. A browser
// neither guesses another type, nor shows it inside our pages, nor runs anything in it.
func ServeHeaders(h http.Header, mimeType, filename string) {
	h.Set("Content-Type", mimeType)
	h.Set("Content-Disposition", ContentDisposition(filename))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}

const maxFilename = 150 // bytes; with the longest escapes the header stays under 1 KiB

// ContentDisposition returns a header value (RFC 6266) that saves a file under filename, made safe: no folders, no
// control or invisible characters, none that turns the writing direction, no name reserved by an operating system, at
// most 150 bytes with the extension kept. A name of which nothing is left becomes "file".
func ContentDisposition(filename string) string {
	name := safeName(filename)
	if isPlain(name) {
		return `attachment; filename="` + name + `"`
	}
	return `attachment; filename="` + asciiName(name) + `"; filename*=UTF-8''` + percent(name)
}

func safeName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || !unicode.IsPrint(r): // controls, direction marks, line separators, unusual spaces
			return -1
		case strings.ContainsRune(`"%*:;<>?|'`, r): // special in the header, or to some file system
			return '_'
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	if stem, _, _ := strings.Cut(name, "."); reserved[strings.ToUpper(strings.TrimSpace(stem))] {
		name = "_" + name
	}
	if name = shorten(name); name == "" {
		return "file"
	}
	return name
}

// reserved are the device names of Windows, which mean the device with any extension.
var reserved = map[string]bool{
	"CON": true, "PRN": true, "AUX": true, "NUL": true, "CONIN$": true, "CONOUT$": true,
	"COM0": true, "COM1": true, "COM2": true, "COM3": true, "COM4": true, "COM5": true, "COM6": true, "COM7": true,
	"COM8": true, "COM9": true, "LPT0": true, "LPT1": true, "LPT2": true, "LPT3": true, "LPT4": true, "LPT5": true,
	"LPT6": true, "LPT7": true, "LPT8": true, "LPT9": true, "COM¹": true, "COM²": true, "COM³": true,
	"LPT¹": true, "LPT²": true, "LPT³": true,
}

// shorten cuts the stem of a long name.
func shorten(name string) string {
	if len(name) <= maxFilename {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	n := maxFilename - len(ext)
	for !utf8.RuneStart(name[n]) {
		n--
	}
	return strings.TrimRight(name[:n], " .") + ext
}

func isPlain(name string) bool {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// asciiName is for clients that do not know filename*.
func asciiName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '_'
		}
		return r
	}, name)
}

// percent encodes a name as RFC 8187, section 3.2, wants it.
func percent(name string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$&+-.^_`~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
