package golden

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Match reports whether show shows what want says. The names that it gives to new ids stay only then.
func (n *Names) Match(want string, show func(*Names) string) bool {
	tried := Names{n.Cloud, n.called, maps.Clone(n.names), maps.Clone(n.count), slices.Clone(n.codes)}
	if show(&tried) != want {
		return false
	}
	*n = tried
	return true
}

// Reserve counts the names in a text that have not been seen: their ids are not shown to a player that has no eyes for them.
func (n *Names) Reserve(text string) {
	n.Hide("") // so that there are maps
	for _, name := range placeholder.FindAllString(text, -1) {
		var of int
		kind := name[1]
		if kind == 'w' { // a twin
			kind = 'm'
		}
		if _, err := fmt.Sscanf(name[2:], "%d>", &of); err == nil {
			n.count[kind] = max(n.count[kind], of)
		}
	}
}

var (
	waitForm  = regexp.MustCompile(`(?m)^(Retry-After: )([0-9]+)$`)
	unixForm  = regexp.MustCompile(`(timestamp": "?|"time": |_date": )([0-9]{10})([0-9]{3})?\b`)
	textForms = map[string]*regexp.Regexp{
		"2006-01-02 15:04:05-07:00": regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\+00:00`),
		time.RFC1123:                regexp.MustCompile(`[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} UTC`),
		http.TimeFormat:             regexp.MustCompile(`[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT`),
		"2006-01-02T15:04:05Z":      regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z`),
		"2006-01-02T15:04:05-0700":  regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+]0000`),
	}
	machineForm = regexp.MustCompile(`("(?:free_space_[a-z_]+|os_name|os_version)": ")[^"]+|("SQLite )[0-9.]+|("kabar": )[0-9]+|("description": "Kabar)[^"]*`)
)

// FromMachine hides what each machine and each version has of its own: room on the disk, the operating system, the database's
// version and that of its schema. Files say what it is in tests; a player of a real program compares only that it is there.
func FromMachine(text string) string { return machineForm.ReplaceAllString(text, "$1$2$3$4<own>") }

var (
	trafficForm = regexp.MustCompile(`("(?:db_request_|endpoint_requests|internal_server_requests_|out_message_sent_duration_ms_sum|api_requests_|web_)[a-z_]*": \{\s*` +
		`"type": "[a-z]+",\s*"help": "[^"]*",\s*"data": )\[[^]]*\]`)
	exposedForm = regexp.MustCompile(`[0-9]+( bytes "# HELP )`)
)

// FromTraffic hides the figures of a server that depend on what else has been asked of it, and on how long that took. That there are
// such figures, their kinds and what they say of themselves stays.
func FromTraffic(text string) string {
	return exposedForm.ReplaceAllString(trafficForm.ReplaceAllString(text, "$1<own>"), "<own>$1")
}

// FromClock shows the moments in a text by how far they are, in hours, from now. A player whose clock does not stand still
// compares what is shown so on both sides: what files say from [Clock], and what it sees from when it began. How long a client is
// told to wait is shown by the minute that has begun.
func FromClock(text string, now time.Time) string {
	text = waitForm.ReplaceAllStringFunc(text, func(match string) string {
		name, wait, _ := strings.Cut(match, " ")
		seconds, err := time.ParseDuration(wait + "s")
		if err != nil {
			return match
		}
		return fmt.Sprintf("%s <up to %s>", name, (seconds + time.Minute - 1).Truncate(time.Minute))
	})
	show := func(at time.Time) string { return fmt.Sprintf("<now + %s>", at.Sub(now).Round(time.Hour)) }
	for layout, form := range textForms {
		text = form.ReplaceAllStringFunc(text, func(match string) string {
			at, err := time.Parse(layout, match)
			if err != nil {
				return match
			}
			return show(at)
		})
	}
	return unixForm.ReplaceAllStringFunc(text, func(match string) string {
		parts := unixForm.FindStringSubmatch(match)
		var seconds int64
		if _, err := fmt.Sscan(parts[2], &seconds); err != nil {
			return match
		}
		return parts[1] + show(time.Unix(seconds, 0)) + strings.Repeat("ms", min(1, len(parts[3])))
	})
}
