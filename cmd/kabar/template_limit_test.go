package main

import (
	"fmt"
	"strings"
	"testing"

	"kabar"
)

// templatesFile is a file of templates with the names t_FROM to t_TO, each as long as it may be, in a language.
func templatesFile(from, to int, language string) string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf(`{"name":"t_%d","language":%q,"category":"UTILITY","components":[{"type":"BODY","text":%q}]}`, i, language,
			strings.Repeat("é", 1000)))
	}
	return "[" + strings.Join(all, ",\n") + "]"
}

func TestAnAccountHasSoManyTemplates(t *testing.T) {
	o := newOperator(t)
	o.add("628111000200", "Satu", "")
	o.add("628111000201", "Dua", "")
	in := func(account, text string) importTemplates { return importTemplates{Account: account, Text: text} }
	o.call("template.import", in("Satu", templatesFile(0, 249, "en")), &importedTemplates{}, "")
	o.call("template.import", in("Satu", templatesFile(249, 251, "en")), nil, "would have 251 templates, counted by name; the limit is 250")
	o.call("template.import", in("Satu", templatesFile(248, 250, "id")), &importedTemplates{}, "")
	o.call("template.import", in("Satu", templatesFile(0, 250, "es")), &importedTemplates{}, "") // languages count once
	o.call("template.import", in("Satu", templatesFile(250, 251, "en")), nil, "the limit is 250")
	o.call("template.import", in("Dua", templatesFile(0, 251, "en")), nil, "the limit is 250")
	o.call("template.import", in("Dua", templatesFile(0, 1, "en")), &importedTemplates{}, "") // an account of its own
}

func TestAnAccountHasAsManyTemplatesAsItsPolicySays(t *testing.T) {
	o := newOperator(t)
	o.add("628111000200", "Satu", "")
	change := func(p kabar.TemplatePolicy, want string) {
		o.call("template.policy", templatePolicy{"Satu", p}, &kabar.TemplatePolicy{}, want)
	}
	change(kabar.TemplatePolicy{Limit: -1}, "limit: is -1, allowed are 1 to 6000")
	change(kabar.TemplatePolicy{Limit: 252}, "")
	o.call("template.import", importTemplates{Account: "Satu", Text: templatesFile(0, 252, "en")}, &importedTemplates{}, "")
	o.call("template.import", importTemplates{Account: "Satu", Text: templatesFile(252, 253, "en")}, nil, "the limit is 252 (kabar template policy --limit)")
	o.call("template.status", setTemplateStatus{Account: "Satu", Name: "t_7", Language: "en", Status: "DELETED"}, &templateStatus{}, "")
	o.call("template.import", importTemplates{Account: "Satu", Text: templatesFile(252, 253, "en")}, &importedTemplates{}, "") // in the place of one that is gone
}
