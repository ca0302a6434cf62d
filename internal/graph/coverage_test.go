package graph

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// errorTable reads the contract's tables of errors (sections 3 and 1.5): the HTTP statuses that a code, or a code and its subcode
// as in "100/33", may have.
func errorTable(t testing.TB) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/errors.tsv")
	must(t, err)
	statuses := map[string][]string{}
	for line := range strings.Lines(string(raw)) {
		row := strings.Split(strings.TrimSpace(line), "\t")
		statuses[row[0]] = strings.Split(row[1], ",")
	}
	return statuses
}

// shownError is an error as a golden file shows it.
type shownError struct{ status, file string } // HTTP when it is the answer itself; otherwise empty

// shownErrors collects the errors of golden files, by code and by code and subcode.
func shownErrors(t *testing.T) map[string][]shownError {
	t.Helper()
	all := map[string][]shownError{}
	for _, file := range goldenFiles(t) {
		for _, s := range file.Sections {
			status := ""
			if s.Name == "response" {
				status, _, _ = strings.Cut(s.Text, "\n")
			} else if s.Name != "webhook" {
				continue
			}
			at := strings.IndexByte(s.Text, '{')
			for d := json.NewDecoder(strings.NewReader(s.Text[max(at, 0):])); at >= 0; {
				var v any
				if d.Decode(&v) != nil {
					break // the end
				}
				errorsIn(v, status, func(code, status string) { all[code] = append(all[code], shownError{status, file.Name}) })
			}
		}
	}
	return all
}

// errorsIn finds the errors in a JSON value: the object "error" of an answer, which has its status, and those that a webhook tells, or
// an answer about several things.
func errorsIn(v any, status string, each func(code, status string)) {
	one := func(v any) {
		f, _ := v.(map[string]any)
		code, ok := f["code"].(float64)
		if !ok {
			return
		}
		each(fmt.Sprint(int(code)), status)
		if sub, ok := f["error_subcode"].(float64); ok {
			each(fmt.Sprintf("%d/%d", int(code), int(sub)), status)
		}
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			errorsIn(e, "", each)
		}
	case map[string]any:
		one(v["error"])
		list, _ := v["errors"].([]any)
		for _, e := range list {
			one(e)
		}
		for _, e := range v {
			errorsIn(e, "", each)
		}
	}
}

// neverSent reads the table of docs/cloud-coverage.md of codes whose condition cannot occur.
func neverSent(t *testing.T) (codes []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/cloud-coverage.md")
	must(t, err)
	_, section, ok := strings.Cut(string(page), "## Codes that are never sent")
	if !ok {
		t.Fatal("docs/cloud-coverage.md has no table of codes that are never sent")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile(`(?m)^\| ([0-9/, -]+) \| .+ \|$`).FindAllStringSubmatch(section, -1) {
		for code := range strings.SplitSeq(row[1], ",") {
			codes = append(codes, strings.TrimSpace(code))
		}
	}
	return codes
}

// neverTold reads the table of docs/cloud-coverage.md of webhook fields that are not sent.
func neverTold(t *testing.T) (fields []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/cloud-coverage.md")
	must(t, err)
	_, section, ok := strings.Cut(string(page), "## Webhook fields that are never sent")
	if !ok {
		t.Fatal("docs/cloud-coverage.md has no table of webhook fields that are never sent")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z_, ]+) \| .+ \|$`).FindAllStringSubmatch(section, -1) {
		for field := range strings.SplitSeq(row[1], ",") {
			if field = strings.TrimSpace(field); field != "fields" { // the head
				fields = append(fields, field)
			}
		}
	}
	return fields
}

// TestEveryRouteAndFieldIsShown: a golden exchange calls each route, and shows each webhook field of the contract (section 2) that
// docs/cloud-coverage.md does not except.
func TestEveryRouteAndFieldIsShown(t *testing.T) {
	patterns := hostileRoutes()
	samples := hostileSamples(t, patterns)
	for _, pattern := range patterns {
		if len(samples[pattern]) == 0 {
			t.Errorf("no golden exchange calls %s", pattern)
		}
	}
	files, err := filepath.Glob("testdata/*.txtar")
	must(t, err)
	shown := map[string]string{"message_template_quality_update": "TestTemplateNews: a hundred customers would have to block the number"}
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, m := range regexp.MustCompile(`"field": "([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
			shown[m[1]] = filepath.Base(file)
		}
	}
	never := neverTold(t)
	for field := range strings.FieldsSeq(`messages message_template_status_update message_template_quality_update message_template_components_update
		template_category_update phone_number_quality_update phone_number_name_update account_update account_review_update account_alerts
		business_capability_update security user_preferences history smb_app_state_sync smb_message_echoes flows calls group_lifecycle_update
		group_settings_update group_participants_update group_status_update payment_configuration_update partner_solutions automatic_events`) {
		if excused := slices.Contains(never, field); excused == (shown[field] != "") {
			t.Errorf("%s is shown by %q, and docs/cloud-coverage.md says that it is never sent: %v", field, shown[field], excused)
		}
	}
}

// within reports whether a list has a code, by itself or in a range.
func within(list []string, code string) bool {
	n, _ := strconv.Atoi(code)
	return slices.ContainsFunc(list, func(s string) bool {
		from, to, ranged := strings.Cut(s, "-")
		low, _ := strconv.Atoi(from)
		high, _ := strconv.Atoi(to)
		return s == code || ranged && low <= n && n <= high
	})
}

// TestEveryCodeOfTheContract: each code of the contract's tables is shown by a golden exchange, under a status that the tables
// allow, or docs/cloud-coverage.md says why it is never sent; no golden shows a code that the tables lack.
func TestEveryCodeOfTheContract(t *testing.T) {
	statuses := errorTable(t)
	golden, never := shownErrors(t), neverSent(t)
	for _, code := range []string{"2", "133004", "139101", "139102", "139103", "147005", "131057"} { // TestEdgesHaveCodesOfTheirOwn
		golden[code] = append(golden[code], shownError{file: "errors_test.go"})
	}
	for _, code := range slices.Sorted(maps.Keys(statuses)) {
		seen := golden[code]
		switch excused := within(never, code); {
		case len(seen) == 0 && !excused:
			t.Errorf("%s: no golden exchange shows it, and docs/cloud-coverage.md does not say why", code)
		case len(seen) > 0 && excused:
			t.Errorf("%s: %s shows it, and docs/cloud-coverage.md says that it is never sent", code, seen[0].file)
		}
		for _, s := range seen {
			if s.status != "" && !slices.Contains(statuses[code], s.status) {
				t.Errorf("%s is answered with %s in %s, the table has %v", code, s.status, s.file, statuses[code])
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(golden)) {
		if statuses[code] == nil {
			t.Errorf("%s shows %s, which the contract does not have", golden[code][0].file, code)
		}
	}
	for _, code := range never {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(statuses)), func(known string) bool { return known == code || within([]string{code}, known) }) {
			t.Errorf("docs/cloud-coverage.md excuses %s, which the contract does not have", code)
		}
	}
}

// Every refusal that the dialect can write has a code of the contract's tables, under a status that they allow.
func TestEveryRefusalIsOfTheContract(t *testing.T) {
	statuses := errorTable(t)
	for name, table := range map[string]map[string]refusal{"refusals": byName(refusals), "ofMessages": byName(ofMessages), "templateRefusals": byName(templateRefusals)} {
		for reason, f := range table {
			if !slices.Contains(statuses[strconv.Itoa(f.code)], strconv.Itoa(f.status)) {
				t.Errorf("%s: %q has %d under %d, the table allows %v", name, reason, f.code, f.status, statuses[strconv.Itoa(f.code)])
			}
		}
	}
}

func byName[R ~string](table map[R]refusal) map[string]refusal {
	all := map[string]refusal{}
	for reason, f := range table {
		all[string(reason)] = f
	}
	return all
}
