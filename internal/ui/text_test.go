package ui

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar/internal/patience"
)

func TestSpans(t *testing.T) {
	plain := func(s string) []Span { return []Span{{Text: s}} }
	link := func(s string) Span { return Span{Text: s, Href: s} }
	tests := []struct {
		in   string
		want []Span
	}{
		{"", nil},
		{"hello\nyou", plain("hello\nyou")},
		{"*b*", []Span{{Text: "b", Style: "b"}}},
		{"a *b c* d", []Span{{Text: "a "}, {Text: "b c", Style: "b"}, {Text: " d"}}},
		{"_i_ ~s~ `m`", []Span{{Text: "i", Style: "em"}, {Text: " "}, {Text: "s", Style: "s"}, {Text: " "}, {Text: "m", Style: "m"}}},
		{"*_x_*", []Span{{Text: "x", Style: "b em"}}},
		{"```a\n*b*```", []Span{{Text: "a\n*b*", Style: "m"}}},
		{"2*3*4", plain("2*3*4")},
		{"a*b*", plain("a*b*")},
		{"* b *", plain("* b *")},
		{"*a\nb*", plain("*a\nb*")},
		{"snake_case_name", plain("snake_case_name")},
		{"**", plain("**")},
		{"*", plain("*")},
		{"```", plain("```")},
		{"(*b*)", []Span{{Text: "("}, {Text: "b", Style: "b"}, {Text: ")"}}},
		{"see https://x.example.", []Span{{Text: "see "}, link("https://x.example"), {Text: "."}}},
		{"HTTP://X.example/a?b=c#d", []Span{link("HTTP://X.example/a?b=c#d")}},
		{"(https://x.example/a_(b))", []Span{{Text: "("}, link("https://x.example/a_(b)"), {Text: ")"}}},
		{"*https://x.example*", []Span{{Text: "https://x.example", Href: "https://x.example", Style: "b"}}},
		{"https://a.example https://b.example", []Span{link("https://a.example"), {Text: " "}, link("https://b.example")}},
		{"https://x.example/<b>", []Span{link("https://x.example/"), {Text: "<b>"}}},
		{"javascript:x", plain("javascript:x")},
		{"https://", plain("https://")},
		{"xhttps://x.example", plain("xhttps://x.example")},
		{"https:///etc", plain("https:///etc")},
		{"https://" + strings.Repeat("x", maxLink), plain("https://" + strings.Repeat("x", maxLink))},
		{"*" + strings.Repeat("x", maxMarked) + "*", plain("*" + strings.Repeat("x", maxMarked) + "*")},
	}
	for _, tt := range tests {
		if got := Spans(tt.in); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Spans(%.60q)\ngot  %+v\nwant %+v", tt.in, got, tt.want)
		}
	}
}

// checkSpans checks what holds for every text: nothing is added, only marks go, and links lead to the web.
func checkSpans(t interface{ Fatalf(string, ...any) }, s string) {
	var all strings.Builder
	for _, span := range Spans(s) {
		all.WriteString(span.Text)
		if span.Text == "" || span.Href != "" && (span.Href != span.Text || WebLink(span.Href) == "") {
			t.Fatalf("%q has the span %+v", s, span)
		}
	}
	strip := strings.NewReplacer("*", "", "_", "", "~", "", "`", "")
	if strip.Replace(all.String()) != strip.Replace(s) {
		t.Fatalf("%q became %q", s, all.String())
	}
}

func TestSpansKeepTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"*", "_", "~", "`", "```", " ", "\n", "a", "é", "https://x.example", "http://", "(", ")", ".", "\xff", "👍"})
		checkSpans(t, strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), ""))
	})
}

func FuzzSpans(f *testing.F) {
	for _, s := range []string{"*a* _b_", "https://x.example/(a).", "```x```", "*_~`x`~_*", "http://[::1]:1/*a*", "\xff*\xfe*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkSpans(t, s) })
}

// A customer can send what is far longer than any message that a business may send: the work must grow with the length,
// not with its square.
func TestSpansTakeTheirTime(t *testing.T) {
	measure := func(piece string, size int) time.Duration {
		s := strings.Repeat(piece, size/len(piece))
		start := time.Now()
		Spans(s)
		return time.Since(start)
	}
	for _, piece := range []string{"*", "* ", "_a", "`", "http://", "http://a(", "https://x.example/)))", "*a ~b _c "} {
		small, large := time.Hour, time.Hour
		if !patience.Comes(func() bool { // a busy machine is slow now and then, but not every time
			small, large = min(small, measure(piece, maxStyled+1)), min(large, measure(piece, 8*maxStyled))
			return large < 30*small // for 8 times as much text
		}) {
			t.Errorf("%q: %v for 16 KiB, %v for 128 KiB", piece, small, large)
		}
	}
}

func TestIsEmojiOnly(t *testing.T) {
	for s, want := range map[string]bool{
		"👍": true, " 👍🏽 ": true, "❤️": true, "👨‍👩‍👧": true, "👍👍👍": true, "👍👍👍👍": false, "👍 a": false, "": false, " ": false, "7": false, "️": false,
	} {
		if isEmojiOnly(s) != want {
			t.Errorf("isEmojiOnly(%q) = %v", s, !want)
		}
	}
}
