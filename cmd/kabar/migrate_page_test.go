package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// Every block of docs/migrating-from-on-premises.md is tested: commands run in migrate.txtar, all but the variables, whose values
// the script chooses; what a compose file says is understood by this program.
func TestMigrationPageIsTested(t *testing.T) {
	page, err := os.ReadFile("../../docs/migrating-from-on-premises.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/script/migrate.txtar")
	if err != nil {
		t.Fatal(err)
	}
	services := 0
	for _, m := range regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		name, isCommands := strings.CutPrefix(m[1], "sh ")
		switch {
		case m[1] == "yaml":
			services += understoodCompose(t, m[2])
		case !isCommands:
			t.Errorf("nobody knows what to do with a block of %q", m[1])
		case name != "yours" && !regexp.MustCompile(`[ /]`+name+`\.sh\b`).Match(script):
			t.Errorf("migrate.txtar does not run the commands of %q", name)
		}
	}
	if services != 1 {
		t.Errorf("%d services of a compose file", services)
	}
}

// understoodCompose returns how many services of a compose file call this program.
func understoodCompose(t *testing.T, text string) (n int) {
	t.Helper()
	var c struct {
		Services map[string]composeService `yaml:"services"`
	}
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	for name, s := range c.Services {
		understood(t, "the page, "+name, s.Command)
		for _, secret := range s.Secrets {
			if !strings.Contains(fmt.Sprint(s.Command), "=/run/secrets/"+secret) {
				t.Errorf("%s: the secret %s is not used", name, secret)
			}
		}
		n++
	}
	return n
}
