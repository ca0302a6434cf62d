package kabar

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// buttonsOf returns a valid message of n buttons, changed.
func buttonsOf(n int, change func(i *Interactive)) *Interactive {
	i := &Interactive{Type: InteractiveButton, Body: "Which?", Action: Action{Buttons: make([]ReplyButton, n)}}
	for b := range n {
		i.Action.Buttons[b] = ReplyButton{ID: fmt.Sprint("id", b), Title: fmt.Sprint("Title ", b)}
	}
	change(i)
	return i
}

// listOf returns a valid list whose sections have so many rows, changed.
func listOf(rows []int, change func(i *Interactive)) *Interactive {
	i := &Interactive{Type: InteractiveList, Body: "Which?", Action: Action{Button: "Show", Sections: make([]Section, len(rows))}}
	for s, n := range rows {
		section := Section{Title: fmt.Sprint("Section ", s), Rows: make([]Row, n)}
		for r := range n {
			section.Rows[r] = Row{ID: fmt.Sprintf("%d-%d", s, r), Title: fmt.Sprint("Row ", r)}
		}
		i.Action.Sections[s] = section
	}
	change(i)
	return i
}

func same(*Interactive) {}

func TestInteractiveCommon(t *testing.T) {
	runRows(t, []row{
		{"no type", &Interactive{Body: "b"}, ReasonMissing, "interactive.type"},
		{"unknown type", &Interactive{Type: "merry_go_round", Body: "b"}, ReasonInvalid, "interactive.type"},
		{"type in capitals", &Interactive{Type: "BUTTON", Body: "b"}, ReasonInvalid, "interactive.type"},
		{"nothing", &Interactive{}, ReasonMissing, "interactive.type"},
	})
	for name, valid := range map[string]func(func(*Interactive)) *Interactive{
		"button": func(change func(*Interactive)) *Interactive { return buttonsOf(2, change) },
		"list":   func(change func(*Interactive)) *Interactive { return listOf([]int{2}, change) },
	} {
		t.Run(name, func(t *testing.T) {
			runRows(t, lengths("interactive.body.text", map[string]int{"button": 1024, "list": 4096}[name], ReasonMissing, ReasonInvalid, func(s string) Content {
				return valid(func(i *Interactive) { i.Body = s })
			}))
			runRows(t, lengths("interactive.footer.text", 60, "", ReasonInvalid, func(s string) Content {
				return valid(func(i *Interactive) { i.Footer = s })
			}))
			runRows(t, lengths("interactive.header.text", 60, ReasonMissing, ReasonInvalid, func(s string) Content {
				return valid(func(i *Interactive) { i.Header = &Header{Type: KindText, Text: s} })
			}))
		})
	}
}

func TestInteractiveHeader(t *testing.T) {
	const field = "interactive.header"
	image := func() *Media { return &Media{kind: KindImage, ID: 7} }
	button := func(h Header) *Interactive { return buttonsOf(1, func(i *Interactive) { i.Header = &h }) }
	list := func(h Header) *Interactive { return listOf([]int{1}, func(i *Interactive) { i.Header = &h }) }
	runRows(t, []row{
		{"no type", button(Header{Text: "h"}), ReasonMissing, field + ".type"},
		{"empty", list(Header{}), ReasonMissing, field + ".type"},
		{"unknown type", button(Header{Type: "gif"}), ReasonInvalid, field + ".type"},
		{"audio", button(Header{Type: KindAudio, Media: &Media{kind: KindAudio, ID: 7}}), ReasonInvalid, field + ".type"},
		{"location", button(Header{Type: KindLocation}), ReasonInvalid, field + ".type"},
		{"text with a medium", button(Header{Type: KindText, Text: "h", Media: image()}), ReasonNotRequired, field},
		{"image with text", button(Header{Type: KindImage, Text: "h", Media: image()}), ReasonNotRequired, field + ".text"},
		{"another kind", button(Header{Type: KindVideo, Media: image()}), ReasonInvalid, field + ".video"},
		{"no kind", button(Header{Type: KindVideo, Media: &Media{ID: 7}}), ReasonInvalid, field + ".video"},
		{"filename on an image", button(Header{Type: KindImage, Media: &Media{kind: KindImage, ID: 7, Filename: "f"}}), ReasonNotRequired, field + ".image.filename"},
		{"filename on a document", button(Header{Type: KindDocument, Media: &Media{kind: KindDocument, ID: 7, Filename: "f"}}), "", ""},
		{"text on a list", list(Header{Type: KindText, Text: "h"}), "", ""},
		{"unknown type on a list", list(Header{Type: "gif"}), ReasonInvalid, field + ".type"},
	})
	for _, kind := range []Kind{KindImage, KindVideo, KindDocument} {
		path := field + "." + string(kind)
		runRows(t, []row{
			{"id of " + path, button(Header{Type: kind, Media: &Media{kind: kind, ID: 7}}), "", ""},
			{"link of " + path, button(Header{Type: kind, Media: &Media{kind: kind, Link: "https://cdn.example/p"}}), "", ""},
			{"bad link of " + path, button(Header{Type: kind, Media: &Media{kind: kind, Link: "p.jpg"}}), ReasonInvalid, path + ".link"},
			{"no " + path, button(Header{Type: kind}), ReasonMissing, path},
			{"empty " + path, button(Header{Type: kind, Media: &Media{kind: kind}}), ReasonMissing, path},
			{"list with " + path, list(Header{Type: kind, Media: &Media{kind: kind, ID: 7}}), ReasonHeader, field + ".type"},
		})
	}
}

func TestInteractiveButtons(t *testing.T) {
	const field = "interactive.action.buttons"
	for n, reason := range []Reason{ReasonInvalid, "", "", "", ReasonInvalid, ReasonInvalid} {
		runRows(t, []row{{fmt.Sprint(n, " buttons"), buttonsOf(n, same), reason, field}})
	}
	set := func(b int, id, title string) *Interactive {
		return buttonsOf(3, func(i *Interactive) { i.Action.Buttons[b] = ReplyButton{id, title} })
	}
	runRows(t, []row{
		{"not given", buttonsOf(1, func(i *Interactive) { i.Action.Buttons = nil }), ReasonMissing, field},
		{"list button", buttonsOf(1, func(i *Interactive) { i.Action.Button = "Show" }), ReasonNotRequired, "interactive.action.button"},
		{"sections", buttonsOf(1, func(i *Interactive) { i.Action.Sections = make([]Section, 1) }), ReasonNotRequired, "interactive.action.sections"},
		{"same id", set(2, "id0", "Other"), ReasonInvalid, field + "[2].reply.id"},
		{"same title", set(1, "other", "Title 0"), ReasonInvalid, field + "[1].reply.title"},
		{"id and title alike", set(1, "Title 0", "id0"), "", ""},
		{"ids differ in case", set(1, "ID0", "title 0"), "", ""},
		{"leading space", set(0, " a", "t"), ReasonInvalid, field + "[0].reply.id"},
		{"trailing space", set(0, "a ", "t"), ReasonInvalid, field + "[0].reply.id"},
		{"trailing line break", set(0, "a\n", "t"), ReasonInvalid, field + "[0].reply.id"},
		{"no-break space", set(0, "\u00a0a", "t"), ReasonInvalid, field + "[0].reply.id"},
		{"only a space", set(0, " ", "t"), ReasonInvalid, field + "[0].reply.id"},
		{"space inside", set(0, "a b", "t"), "", ""},
		{"spaces around the title", set(0, "a", " t "), "", ""},
	})
	for b := range 3 {
		path := fmt.Sprintf("%s[%d].reply", field, b)
		runRows(t, lengths(path+".id", 256, ReasonMissing, ReasonInvalid, func(s string) Content { return set(b, s, "t") }))
		runRows(t, lengths(path+".title", 20, ReasonMissing, ReasonInvalid, func(s string) Content { return set(b, "i", s) }))
	}
}

func TestInteractiveList(t *testing.T) {
	const action = "interactive.action"
	const field = action + ".sections"
	runRows(t, lengths(action+".button", 20, ReasonMissing, ReasonInvalid, func(s string) Content {
		return listOf([]int{1}, func(i *Interactive) { i.Action.Button = s })
	}))
	ones := func(n int) []int { return slices.Repeat([]int{1}, n) }
	runRows(t, []row{
		{"1 section of 1", listOf(ones(1), same), "", ""},
		{"1 section of 10", listOf([]int{10}, same), "", ""},
		{"1 section of 11", listOf([]int{11}, same), ReasonInvalid, field},
		{"10 sections of 1", listOf(ones(10), same), "", ""},
		{"11 sections of 1", listOf(ones(11), same), ReasonListSections, field},
		{"11 sections of none", listOf(make([]int, 11), same), ReasonListSections, field},
		{"10 rows in 3", listOf([]int{4, 4, 2}, same), "", ""},
		{"11 rows in 3", listOf([]int{4, 4, 3}, same), ReasonInvalid, field},
		{"11 rows in 10", listOf([]int{2, 1, 1, 1, 1, 1, 1, 1, 1, 1}, same), ReasonInvalid, field},
		{"no section", listOf([]int{}, same), ReasonListSections, field},
		{"sections not given", listOf(ones(1), func(i *Interactive) { i.Action.Sections = nil }), ReasonMissing, field},
		{"no row", listOf([]int{0}, same), ReasonListRows, field + "[0].rows"},
		{"no row in the second", listOf([]int{1, 0}, same), ReasonListRows, field + "[1].rows"},
		{"rows not given", listOf(ones(2), func(i *Interactive) { i.Action.Sections[1].Rows = nil }), ReasonMissing, field + "[1].rows"},
		{"reply buttons", listOf(ones(1), func(i *Interactive) { i.Action.Buttons = make([]ReplyButton, 1) }), ReasonNotRequired, action + ".buttons"},
		{"one section without a title", listOf(ones(1), func(i *Interactive) { i.Action.Sections[0].Title = "" }), "", ""},
		{"two sections with the same title", listOf(ones(2), func(i *Interactive) { i.Action.Sections[1].Title = "Section 0" }), "", ""},
	})
	for _, n := range []int{2, 10} {
		for s := range n {
			list := listOf(ones(n), func(i *Interactive) { i.Action.Sections[s].Title = "" })
			runRows(t, []row{{fmt.Sprintf("section %d of %d without a title", s, n), list, ReasonMissing, fmt.Sprintf("%s[%d].title", field, s)}})
		}
	}
	runRows(t, lengths(field+"[0].title", 24, "", ReasonInvalid, func(s string) Content {
		return listOf(ones(1), func(i *Interactive) { i.Action.Sections[0].Title = s })
	}))
	runRows(t, lengths(field+"[1].title", 24, ReasonMissing, ReasonInvalid, func(s string) Content {
		return listOf(ones(2), func(i *Interactive) { i.Action.Sections[1].Title = s })
	}))
}

func TestInteractiveRows(t *testing.T) {
	const field = "interactive.action.sections"
	set := func(section, at int, r Row) *Interactive {
		return listOf([]int{3, 2}, func(i *Interactive) { i.Action.Sections[section].Rows[at] = r })
	}
	for _, at := range [][2]int{{0, 0}, {0, 2}, {1, 1}} {
		path := fmt.Sprintf("%s[%d].rows[%d]", field, at[0], at[1])
		runRows(t, lengths(path+".id", 200, ReasonMissing, ReasonInvalid, func(s string) Content {
			return set(at[0], at[1], Row{ID: s, Title: "t"})
		}))
		runRows(t, lengths(path+".title", 24, ReasonMissing, ReasonInvalid, func(s string) Content {
			return set(at[0], at[1], Row{ID: "i", Title: s})
		}))
		runRows(t, lengths(path+".description", 72, "", ReasonInvalid, func(s string) Content {
			return set(at[0], at[1], Row{ID: "i", Title: "t", Description: s})
		}))
	}
	runRows(t, []row{
		{"same id in a section", set(0, 1, Row{ID: "0-0", Title: "t"}), ReasonInvalid, field + "[0].rows[1].id"},
		{"same id in two sections", set(1, 0, Row{ID: "0-2", Title: "t"}), ReasonInvalid, field + "[1].rows[0].id"},
		{"same title", set(0, 1, Row{ID: "x", Title: "Row 0"}), "", ""},
		{"line break in a title", set(0, 1, Row{ID: "x", Title: "a\nb"}), ReasonListCharacters, field + "[0].rows[1].title"},
		{"tab in a description", set(0, 1, Row{ID: "x", Title: "a", Description: "a\tb"}), ReasonListCharacters, field + "[0].rows[1].description"},
		{"line break in an id", set(0, 1, Row{ID: "a\nb", Title: "a"}), "", ""},
		{"line break in a section's title", listOf([]int{1}, func(i *Interactive) { i.Action.Sections[0].Title = "a\nb" }), ReasonListCharacters, field + "[0].title"},
		{"line break in the button", listOf([]int{1}, func(i *Interactive) { i.Action.Button = "a\nb" }), ReasonListCharacters, "interactive.action.button"},
		{"spaces around the id", set(0, 1, Row{ID: " x ", Title: "t"}), "", ""},
		{"long values everywhere", set(0, 0, Row{strings.Repeat("漢", 200), strings.Repeat("漢", 24), strings.Repeat("漢", 72)}), "", ""},
	})
}
