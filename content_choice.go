package kabar

import (
	"fmt"
	"strings"
	"unicode"
)

// Limits of what there is to choose. Lengths are in characters.
const (
	MaxReplyButtons = 3
	MaxButtonID     = 256
	MaxButtonTitle  = 20

	MaxListButton     = 20
	MaxSections       = 10
	MaxSectionTitle   = 24
	MaxRows           = 10 // over all sections
	MaxRowID          = 200
	MaxRowTitle       = 24
	MaxRowDescription = 72
)

// ReplyButton is a button of a button message.
type ReplyButton struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Section is a part of a list: of rows to choose from, or of products.
type Section struct {
	Title    string   `json:"title,omitempty"` // optional in a list of one section
	Rows     []Row    `json:"rows,omitempty"`
	Products []string `json:"products,omitempty"` // as their retailer calls them
}

// Row is an entry of a list.
type Row struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
}

func checkButtons(field string, buttons []ReplyButton) error {
	ids, titles := make(seen), make(seen)
	for n, b := range buttons {
		reply := fmt.Sprintf("%s[%d].reply", field, n)
		err := first(
			checkText(reply+".id", b.ID, MaxButtonID),
			checkTrimmed(reply+".id", b.ID),
			ids.check(reply+".id", b.ID),
			checkText(reply+".title", b.Title, MaxButtonTitle),
			titles.check(reply+".title", b.Title),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *Action) checkList() error {
	const field = actionField + ".sections"
	return first(
		checkText(actionField+".button", a.Button, MaxListButton),
		checkLine(actionField+".button", a.Button),
		checkSectionCount(field, a.Sections),
		checkSections(field, a.Sections),
	)
}

func checkSectionCount(field string, sections []Section) error {
	switch n := len(sections); {
	case sections == nil:
		return fault(ReasonMissing, field, "is required, with 1 to %d entries", MaxSections)
	case n < 1 || n > MaxSections:
		return fault(ReasonListSections, field, "has %d entries, allowed are 1 to %d", n, MaxSections)
	}
	return nil
}

// checkSections counts the rows of all sections before it looks at any: their number is what the sender has to change.
func checkSections(field string, sections []Section) error {
	total := 0
	for _, s := range sections {
		total += len(s.Rows)
	}
	if total > MaxRows {
		return fault(ReasonInvalid, field, "have %d rows in all, the limit is %d", total, MaxRows)
	}
	ids := make(seen)
	for n, s := range sections {
		path := fmt.Sprintf("%s[%d]", field, n)
		err := first(checkSectionTitle(path, s.Title, len(sections)), checkRowCount(path+".rows", s.Rows), checkRows(path+".rows", s.Rows, ids))
		if err != nil {
			return err
		}
	}
	return nil
}

func checkSectionTitle(path, title string, sections int) error {
	if title == "" && sections > 1 {
		return fault(ReasonMissing, path+".title", "is required, for the list has %d sections", sections)
	}
	return first(checkMax(path+".title", title, MaxSectionTitle), checkLine(path+".title", title))
}

func checkRowCount(field string, rows []Row) error {
	switch {
	case rows == nil:
		return fault(ReasonMissing, field, "is required, with 1 to %d entries", MaxRows)
	case len(rows) == 0:
		return fault(ReasonListRows, field, "has no entry, allowed are 1 to %d", MaxRows)
	}
	return nil
}

func checkRows(field string, rows []Row, ids seen) error {
	for n, r := range rows {
		path := fmt.Sprintf("%s[%d]", field, n)
		err := first(
			checkText(path+".id", r.ID, MaxRowID),
			ids.check(path+".id", r.ID),
			checkText(path+".title", r.Title, MaxRowTitle),
			checkLine(path+".title", r.Title),
			checkMax(path+".description", r.Description, MaxRowDescription),
			checkLine(path+".description", r.Description),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// seen remembers values that must be unique, and where each was first.
type seen map[string]string

func (s seen) check(field, value string) error {
	if at, ok := s[value]; ok {
		return fault(ReasonInvalid, field, "is the same as %s; each must be unique", at)
	}
	s[value] = field
	return nil
}

func checkTrimmed(field, s string) error {
	if strings.TrimSpace(s) != s {
		return fault(ReasonInvalid, field, "starts or ends with a space")
	}
	return nil
}

// checkLine refuses what breaks a line of a list: a list is drawn row by row.
func checkLine(field, s string) error {
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		return fault(ReasonListCharacters, field, "has a line break, a tab or another control character at byte %d", i)
	}
	return nil
}
