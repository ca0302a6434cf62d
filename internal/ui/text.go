package ui

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a piece of a text that is drawn in one way.
type Span struct {
	Text  string
	Href  string // an http or https link; empty: none
	Style string // classes: "b" bold, "em" italic, "s" struck through, "m" monospaced; empty: plain
}

// Spans cuts a message into pieces: links, and the marks that people write in chats (*bold*, _italic_, ~struck~,
// ```code``` and `code`). Line breaks stay in the text, the stylesheet keeps them. A mark counts only around something,
// not within a word and, code apart, not across lines.
func Spans(s string) []Span {
	depth := 0
	if len(s) > maxStyled {
		depth = maxMarkDepth
	}
	return appendSpans(nil, s, "", depth)
}

// marks are tried in this order: three backticks before one.
var marks = []struct{ mark, style string }{{"```", "m"}, {"`", "m"}, {"*", "b"}, {"_", "em"}, {"~", "s"}}

// Bounds that keep the work proportional to the text, whatever it is made of.
const (
	maxMarkDepth = 4        // marks within marks: one of each kind
	maxMarked    = 1 << 10  // bytes between a mark and its end
	maxStyled    = 16 << 10 // bytes; marks in longer texts stay as they are
	maxLink      = 2 << 10  // bytes
)

func appendSpans(spans []Span, s, style string, depth int) []Span {
	plain, run := 0, 0 // start of what has not been appended, end of what could be a link
	for i := 0; i < len(s); {
		if link := linkAt(s, i, &run); link != "" {
			spans = appendText(spans, s[plain:i], style)
			spans = append(spans, Span{Text: link, Href: link, Style: style})
			i += len(link)
			plain = i
			continue
		}
		if mark, kind, inner := markAt(s, i, depth); inner != "" {
			spans = appendText(spans, s[plain:i], style)
			if kind == "m" {
				spans = appendText(spans, inner, join(style, kind))
			} else {
				spans = appendSpans(spans, inner, join(style, kind), depth+1)
			}
			i += len(inner) + 2*len(mark)
			plain = i
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return appendText(spans, s[plain:], style)
}

func appendText(spans []Span, s, style string) []Span {
	if s == "" {
		return spans
	}
	return append(spans, Span{Text: s, Style: style})
}

func join(style, kind string) string {
	if style == "" || style == kind {
		return kind
	}
	return style + " " + kind
}

// markAt returns the mark that opens at s[i], its style and the text up to the mark that closes it; an empty text means
// that there is none.
func markAt(s string, i, depth int) (mark, style, inner string) {
	if depth == maxMarkDepth || strings.IndexByte("`*_~", s[i]) < 0 || wordBefore(s, i) {
		return "", "", ""
	}
	for _, m := range marks {
		rest, ok := strings.CutPrefix(s[i:], m.mark)
		if !ok {
			continue
		}
		if n := closing(rest, m.mark); n > 0 {
			return m.mark, m.style, rest[:n]
		}
	}
	return "", "", ""
}

// closing returns where in s the mark closes, or -1.
func closing(s, mark string) int {
	line := s[:min(len(s), maxMarked)]
	if mark != "```" {
		line, _, _ = strings.Cut(line, "\n")
	}
	for from := 1; from < len(line); {
		n := strings.Index(line[from:], mark)
		if n < 0 {
			return -1
		}
		n += from
		if mark == "```" || closes(line, n, mark[0]) {
			return n
		}
		from = n + len(mark)
	}
	return -1
}

// closes reports whether the mark at line[n] ends a text that begins and ends with no space, and ends with it.
func closes(line string, n int, mark byte) bool {
	first, _ := utf8.DecodeRuneInString(line)
	last, _ := utf8.DecodeLastRuneInString(line[:n])
	next, _ := utf8.DecodeRuneInString(line[n+1:])
	return !unicode.IsSpace(first) && !unicode.IsSpace(last) && line[n-1] != mark && !isWord(next) && next != rune(mark)
}

func wordBefore(s string, i int) bool {
	r, size := utf8.DecodeLastRuneInString(s[:i])
	return size > 0 && isWord(r)
}

func isWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// linkAt returns the http or https link that begins at s[i], or nothing. Punctuation behind it is not part of it. run
// remembers, from one call to the next, where the characters that links are made of end.
func linkAt(s string, i int, run *int) string {
	if s[i] != 'h' && s[i] != 'H' || wordBefore(s, i) {
		return ""
	}
	if !hasPrefixFold(s[i:], "http://") && !hasPrefixFold(s[i:], "https://") {
		return ""
	}
	if *run <= i {
		*run = len(s)
		if end := strings.IndexFunc(s[i:], endsLink); end >= 0 {
			*run = i + end
		}
	}
	if *run-i > maxLink {
		return ""
	}
	return WebLink(trimLink(s[i:*run]))
}

func endsLink(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError || strings.ContainsRune("<>\"`", r)
}

// WebLink returns s if it is an absolute http or https address, the only ones that a page may link to, else nothing.
func WebLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return ""
	}
	return s
}

// trimLink takes off what a sentence puts behind a link. A closing bracket stays when the link opens it.
func trimLink(link string) string {
	for link != "" {
		r, size := utf8.DecodeLastRuneInString(link)
		opens := strings.IndexRune(")]}", r)
		switch {
		case opens >= 0 && strings.Count(link, "([{"[opens:opens+1]) >= strings.Count(link, string(r)):
			return link
		case opens < 0 && !strings.ContainsRune(".,;:!?'*_~…»”’", r):
			return link
		}
		link = link[:len(link)-size]
	}
	return link
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// isEmojiOnly reports whether s is one to three pictures and nothing else; they are drawn large.
func isEmojiOnly(s string) bool {
	pictures, joined := 0, false
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r == '\u200d':
			joined = true
			continue
		case r == '\ufe0f' || r >= 0x1F3FB && r <= 0x1F3FF || r >= 0xE0020 && r <= 0xE007F: // variation, skin tone, tag
		case r >= 0x1F000 && r <= 0x1FAFF || r >= 0x2600 && r <= 0x27BF || r >= 0x2B00 && r <= 0x2BFF:
			if !joined {
				pictures++
			}
		default:
			return false
		}
		joined = false
	}
	return pictures > 0 && pictures <= 3
}
