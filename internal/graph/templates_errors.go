package graph

import (
	"errors"
	"net/http"
	"strings"

	"kabar"
)

// templateRefusals are the reasons for which a change of a template is refused (contract, section 1.5).
var templateRefusals = map[kabar.Reason]refusal{
	kabar.ReasonTemplateState:    {code: 100, title: "Invalid parameter", status: http.StatusBadRequest, subcode: 2388039, user: "Message template cannot be edited or deleted"},
	kabar.ReasonTemplateEdits:    {code: 100, title: "Invalid parameter", status: http.StatusBadRequest, subcode: 2388039, user: "Message template was edited too often"},
	kabar.ReasonTemplateExists:   {code: 100, title: "Invalid parameter", status: http.StatusBadRequest, subcode: 2388024, user: "Content in this language already exists"},
	kabar.ReasonTemplateDeleting: {code: 100, title: "Invalid parameter", status: http.StatusBadRequest, subcode: 2388023, user: "Message template is being deleted"},
	kabar.ReasonTemplateLimit:    {code: 100, title: "Invalid parameter", status: http.StatusBadRequest, subcode: 2388019, user: "Message template limit exceeded"},
	kabar.ReasonTemplateHaste:    {code: 80007, title: "Rate limit issues", status: http.StatusBadRequest, user: "Too many message templates in an hour"},
}

// ruleSubcodes are the subcodes of the rules that have one of their own; the others share badParameter.
var ruleSubcodes = map[kabar.TemplateRule]int{
	kabar.RuleLength: 2388040, kabar.RuleHeader: 2388047, kabar.RuleBody: 2388072, kabar.RuleFooter: 2388073,
	kabar.RuleVariableRatio: 2388293, kabar.RuleVariableEdge: 2388299, kabar.RuleVariablesAdjoin: 2388299,
}

const badParameter = 192

// failTemplate answers why a template was not made or changed. Faults are told all at once; the first gives the subcode.
func (a *API) failTemplate(x *exchange, err error) error {
	if faults, ok := errors.AsType[kabar.TemplateFaults](err); ok && len(faults) > 0 {
		f := refusal{code: 100, title: "Invalid parameter", status: http.StatusBadRequest, subcode: ruleSubcodes[faults[0].Rule], user: faults[0].Suggestion}
		if f.subcode == 0 {
			f.subcode = badParameter
		}
		lines := make([]string, len(faults))
		for i, fault := range faults {
			lines[i] = fault.String()
		}
		a.refuse(x, f, &kabar.Error{Reason: kabar.ReasonTemplateFaults, Detail: strings.Join(lines, "; ")})
		return nil
	}
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		if f, ok := templateRefusals[refused.Reason]; ok {
			a.refuse(x, f, refused)
			return nil
		}
	}
	return err
}
