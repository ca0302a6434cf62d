package onprem

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dottedKeys are the settings that a schema describes, as the contract writes them: a.b of an object in an object.
func (d *described) dottedKeys(schema map[string]any, within string) (keys []string) {
	for name, property := range d.at(schema, "properties") {
		if inner := d.at(property); inner["type"] == "object" {
			keys = append(keys, d.dottedKeys(inner, within+name+".")...)
		} else {
			keys = append(keys, within+name)
		}
	}
	return keys
}

// Every setting stands in docs/onprem-settings.md, once: with a test that shows what it does, or with the reason why it does
// nothing. The tests and golden files that the page names are there.
func TestSettingsPage(t *testing.T) {
	d := describe(t)
	page, err := os.ReadFile("../../docs/onprem-settings.md")
	must(t, err)
	head, _, _ := strings.Cut(string(page), "## The rules of delivery")
	acting, kept, ok := strings.Cut(head, "## Keys that are stored")
	if !ok {
		t.Fatal("the page has no keys that are stored without effect")
	}
	tried, taken := settingsOfGoldens(t)
	var described []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*)$").FindAllStringSubmatch(acting+kept, -1) {
		cells := strings.Split(row[1], " | ")
		named := regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(cells[0], -1)
		for _, n := range named {
			key := n[1]
			if strings.HasPrefix(key, ".") { // beside the one before
				before := described[len(described)-1]
				key = before[:strings.LastIndexByte(before, '.')] + key
			}
			described = append(described, key)
		}
		shown := cells[len(cells)-1]
		if acts := strings.Contains(acting, row[0]); acts && !strings.Contains(shown, "`") {
			t.Errorf("nothing shows what %s does", cells[0])
		} else if files := regexp.MustCompile(`\w+\.txtar`).FindAllString(shown, -1); acts && len(files) > 0 {
			for _, key := range described[len(described)-len(named):] {
				if !slices.ContainsFunc(files, func(file string) bool { return slices.Contains(tried[file], key) }) {
					t.Errorf("none of %q sets %s, which they are to show", files, key)
				}
			}
		}
	}
	for _, key := range described {
		if !slices.Contains(taken, key) {
			t.Errorf("no golden file sets %s", key)
		}
	}
	keys := d.dottedKeys(d.at(d.doc, "components", "schemas", "Settings"), "")
	slices.Sort(keys)
	slices.Sort(described)
	if len(keys) < 25 || !slices.Equal(keys, described) {
		t.Errorf("the page has\n%q, the API\n%q", described, keys)
	}

	there := testsAndGoldens(t)
	names := regexp.MustCompile("`(Test\\w+|\\w+\\.txtar)`").FindAllStringSubmatch(string(page), -1)
	for _, name := range names {
		if !there[name[1]] {
			t.Errorf("the page names %s, which is not there", name[1])
		}
	}
	if len(names) < 30 {
		t.Errorf("the page names only %d tests", len(names))
	}
}

// settingsOfGoldens are the settings that each golden file tries to change, and those that some file does change.
func settingsOfGoldens(t *testing.T) (tried map[string][]string, taken []string) {
	t.Helper()
	tried = map[string][]string{}
	all, _ := exchanges(t)
	for _, x := range all {
		var body map[string]any
		if x.method != "PATCH" || strings.TrimRight(x.path, "/") != "/v1/settings/application" || json.Unmarshal([]byte(x.body), &body) != nil {
			continue
		}
		keys := dotted(body, "")
		tried[x.file+".txtar"] = append(tried[x.file+".txtar"], keys...)
		if x.status == "200" {
			taken = append(taken, keys...)
		}
	}
	return tried, taken
}

// dotted are the names of what is in an object, as the contract writes them.
func dotted(v any, within string) (keys []string) {
	object, ok := v.(map[string]any)
	if !ok {
		return []string{strings.TrimSuffix(within, ".")}
	}
	for name, member := range object {
		keys = append(keys, dotted(member, within+name+".")...)
	}
	return keys
}

// testsAndGoldens are the names of all tests and of all txtar files.
func testsAndGoldens(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, root := range []string{"..", "../../cmd"} {
		must(t, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			all[e.Name()] = true
			if !strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
				all[string(found[1])] = true
			}
			return err
		}))
	}
	return all
}
