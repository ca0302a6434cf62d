package kabar

import (
	"strings"
	"testing"
)

func TestCheckUsername(t *testing.T) {
	for name, fine := range map[string]bool{
		"warung": true, "warung.kabar_2": true, "a1_": true, strings.Repeat("a", 35): true, "shop.us.shop": true,
		"": false, "ab": false, strings.Repeat("a", 36): false, "Warung": false, "warung!": false, "12345": false, ".warung": false, "warung.": false,
		"wa..rung": false, "www.warung": false, "warung.com": false, "warung.ai": false, "wärung": false,
	} {
		if err := CheckUsername(name); (err == nil) != fine {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAutomationHasLimits(t *testing.T) {
	commands := func(n int) (all []Command) {
		for i := range n {
			all = append(all, Command{strings.Repeat("c", i+1), "hint"})
		}
		return all
	}
	for name, c := range map[string]struct {
		a    Automation
		fine bool
	}{
		"nothing":             {Automation{}, true},
		"the most":            {Automation{Welcome: true, Prompts: []string{strings.Repeat("é", 80), "b", "c", "d"}, Commands: commands(30)}, true},
		"a prompt too many":   {Automation{Prompts: []string{"a", "b", "c", "d", "e"}}, false},
		"a long prompt":       {Automation{Prompts: []string{strings.Repeat("é", 81)}}, false},
		"an empty prompt":     {Automation{Prompts: []string{""}}, false},
		"a command too many":  {Automation{Commands: commands(31)}, false},
		"a long name":         {Automation{Commands: []Command{{strings.Repeat("c", 33), "hint"}}}, false},
		"no description":      {Automation{Commands: []Command{{"menu", ""}}}, false},
		"a long description":  {Automation{Commands: []Command{{"menu", strings.Repeat("d", 257)}}}, false},
		"the same name twice": {Automation{Commands: []Command{{"menu", "a"}, {"menu", "b"}}}, false},
	} {
		if err := c.a.Validate(); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestComplianceIsWhole(t *testing.T) {
	whole := Compliance{Name: "Warung", Type: "PARTNERSHIP", Grievance: Officer{Name: "Ana", Email: "ana@example.com"}, Care: Officer{Email: "care@example.com"}}
	if err := whole.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Compliance){
		"name":            func(c *Compliance) { c.Name = "" },
		"type":            func(c *Compliance) { c.Type = "GUILD" },
		"type of its own": func(c *Compliance) { c.Type = "OTHER" },
		"officer":         func(c *Compliance) { c.Grievance.Name = "" },
		"officer's email": func(c *Compliance) { c.Grievance.Email = "ana" },
		"care":            func(c *Compliance) { c.Care = Officer{} },
	} {
		c := whole
		if spoil(&c); c.Validate() == nil {
			t.Errorf("without its %s it is taken", name)
		}
	}
}
