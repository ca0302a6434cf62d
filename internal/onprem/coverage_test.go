package onprem

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shownError is an error as a golden file shows it.
type shownError struct {
	status string // HTTP, or "webhook"
	file   string
	title  string
}

// shownErrors collects the errors of golden files, by code.
func shownErrors(t *testing.T) map[int][]shownError {
	t.Helper()
	all := map[int][]shownError{}
	for _, file := range goldenFiles(t) {
		for _, s := range file.Sections {
			status := "webhook"
			switch s.Name {
			case "response":
				status, _, _ = strings.Cut(s.Text, "\n")
			case "webhook", "batch":
			default:
				continue
			}
			text := regexp.MustCompile(`(?m)^not wanted: .*$`).ReplaceAllString(s.Text, "")
			at := strings.IndexByte(text, '{')
			for d := json.NewDecoder(strings.NewReader(text[max(at, 0):])); at >= 0; {
				var v any
				if d.Decode(&v) != nil {
					break // the end
				}
				errorsIn(v, func(code int, title string) {
					all[code] = append(all[code], shownError{status, file.Name, title})
				})
			}
		}
	}
	return all
}

// errorsIn finds the lists "errors" in a JSON value.
func errorsIn(v any, each func(code int, title string)) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			errorsIn(e, each)
		}
	case map[string]any:
		for name, e := range v {
			list, ok := e.([]any)
			if name != "errors" || !ok {
				errorsIn(e, each)
				continue
			}
			for _, e := range list {
				if f, ok := e.(map[string]any); ok {
					code, _ := f["code"].(float64)
					title, _ := f["title"].(string)
					each(int(code), title)
				}
			}
		}
	}
}

// neverSent reads the README's table of codes whose condition cannot occur.
func neverSent(t *testing.T) (codes []int) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	must(t, err)
	_, section, ok := strings.Cut(string(readme), "### Codes that are never sent")
	if !ok {
		t.Fatal("the README has no table of codes that are never sent")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	section, _, _ = strings.Cut(section, "\n### ")
	for _, row := range regexp.MustCompile(`(?m)^\| ([0-9, ]+) \| (.+) \|$`).FindAllStringSubmatch(section, -1) {
		for code := range strings.SplitSeq(row[1], ",") {
			n, err := strconv.Atoi(strings.TrimSpace(code))
			must(t, err)
			codes = append(codes, n)
		}
	}
	return codes
}

// TestEveryCodeOfTheContract: each code of the contract's table is shown by a golden exchange, under a status the table allows
// and with its title, or the README says why it is never sent; no golden shows a code that the table lacks.
func TestEveryCodeOfTheContract(t *testing.T) {
	statuses, titles := errorTable(t)
	golden, never := shownErrors(t), neverSent(t)
	for code, allowed := range statuses {
		seen := golden[code]
		switch excused := slices.Contains(never, code); {
		case len(seen) == 0 && !excused:
			t.Errorf("%d %s: no golden exchange shows it, and the README does not say why", code, titles[code])
		case len(seen) > 0 && excused:
			t.Errorf("%d %s: %s shows it, and the README says that it is never sent", code, titles[code], seen[0].file)
		}
		for _, s := range seen {
			// What is refused later than the answer arrives in a webhook under the code of the refusal.
			if s.status != "webhook" && !slices.Contains(allowed, s.status) {
				t.Errorf("%d is answered with %s in %s, the table has %v", code, s.status, s.file, allowed)
			}
			if !strings.HasPrefix(s.title, titles[code]) && code != 501 { // whose title on the wire is another one (contract, section 3)
				t.Errorf("%d is called %q in %s, the table has %q", code, s.title, s.file, titles[code])
			}
		}
	}
	for code, seen := range golden {
		if statuses[code] == nil {
			t.Errorf("%s shows %d, which the contract does not have", seen[0].file, code)
		}
	}
	for _, code := range never {
		if statuses[code] == nil {
			t.Errorf("the README excuses %d, which the contract does not have", code)
		}
	}
}

// sections are those of the contract about what is asked, answered and told.
const sections = "0 1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 1.9 1.10 1.11 1.12 1.13 1.14 2.1 2.2 2.3 2.4 2.5 2.6 3 5 7 8"

// TestEveryGoldenNamesItsRow: the first lines of a golden file say which row of the contract it shows.
func TestEveryGoldenNamesItsRow(t *testing.T) {
	known := strings.Fields(sections)
	for _, file := range goldenFiles(t) {
		named := regexp.MustCompile(`[Cc]ontract ([0-9]+(?:\.[0-9]+)?)\b`).FindStringSubmatch(file.Comment)
		if named == nil || !slices.Contains(known, named[1]) {
			t.Errorf("%s names no row of the contract: %q", file.Name, file.Comment)
		}
	}
}

// TestEveryEndpointOfTheContract: each is shown by a golden exchange that is no refusal, but for groups, of which there are none.
// The description and its page are not of the contract.
func TestEveryEndpointOfTheContract(t *testing.T) {
	all, _ := exchanges(t)
	d := describe(t)
	answered := map[string]bool{"GET /v1/openapi.json": true, "GET /v1/docs": true}
	for _, x := range all {
		path, method := d.operation(x.method, x.path)
		if x.status[0] == '2' || strings.HasPrefix(path, Prefix+"groups") {
			answered[strings.ToUpper(method)+" "+path] = true
		}
	}
	for path, item := range d.at(d.doc, "paths") {
		for method, op := range item.(map[string]any) {
			if _, ok := op.(map[string]any); ok && !answered[strings.ToUpper(method)+" "+path] {
				t.Errorf("%s %s: no golden exchange shows it", strings.ToUpper(method), path)
			}
		}
	}
}
