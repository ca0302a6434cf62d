package kabar

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// The checks that the contents share. Characters are Unicode code points, not bytes and not what a reader sees as one
// sign. Every check names the field by its path in the request and tells the figure seen and the limit.
//
// A text message that is too long has a reason of its own (ReasonTooLong); every other value outside its limits is
// ReasonInvalid, what is absent is ReasonMissing, what has no place is ReasonNotRequired.

// fault makes an *Error and returns it as an error, so that a check can return nil without a typed nil in it.
func fault(r Reason, field, detail string, args ...any) error {
	return &Error{Reason: r, Field: field, Detail: fmt.Sprintf(detail, args...)}
}

// first returns the first error that is not nil: checks are listed in the order in which a developer should hear of them.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkString refuses what no kind of text may hold: invalid UTF-8, which JSON could not carry unchanged, and NUL, which
// PostgreSQL cannot store.
func checkString(field, s string) error {
	if !utf8.ValidString(s) {
		return fault(ReasonInvalid, field, "is not valid UTF-8")
	}
	if i := strings.IndexByte(s, 0); i >= 0 {
		return fault(ReasonInvalid, field, "has a NUL character at byte %d", i)
	}
	return nil
}

// checkMax checks a text of at most limit characters; it may be empty.
func checkMax(field, s string, limit int) error {
	if err := checkString(field, s); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fault(ReasonInvalid, field, "has %d characters, the limit is %d", n, limit)
	}
	return nil
}

// checkText checks a text of 1 to limit characters.
func checkText(field, s string, limit int) error {
	if s == "" {
		return fault(ReasonMissing, field, "is required, with 1 to %d characters", limit)
	}
	return checkMax(field, s, limit)
}

// checkAbsent refuses a value that has no place where it was given.
func checkAbsent(field string, absent bool, why string) error {
	if absent {
		return nil
	}
	return fault(ReasonNotRequired, field, "%s", why)
}

// checkCount checks the length of a list. A nil list was not given; an empty one was, and has the wrong length.
func checkCount[T any](field string, list []T, limit int) error {
	switch n := len(list); {
	case list == nil:
		return fault(ReasonMissing, field, "is required, with 1 to %d entries", limit)
	case n < 1 || n > limit:
		return fault(ReasonInvalid, field, "has %d entries, allowed are 1 to %d", n, limit)
	}
	return nil
}

// CheckURL checks for an absolute http or https URL with a host name. Whether the host may be called is not known here.
func CheckURL(field, s string) error {
	if err := checkString(field, s); err != nil {
		return err
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fault(ReasonInvalid, field, "must be a URL that starts with http:// or https:// and a host name")
	}
	return nil
}

// checkUnsent refuses a kind that only customers send.
func checkUnsent(kind Kind) error {
	return fault(ReasonInvalid, "type", "%q is a kind that customers send; a business cannot", kind)
}
