package graph

import (
	"kabar"
)

// complianceInfo is what a business says of itself, as answers show it.
type complianceInfo struct {
	Account string `json:"whatsapp_business_account_id"`
	Product string `json:"messaging_product"`
	*kabar.Compliance
}

// compliance: GET /{number}/business_compliance_info.
func (a *API) compliance(x *exchange, n *kabar.Number) error {
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return err
	}
	page := list{Data: []any{}}
	if s.Cloud.Compliance != nil {
		page.Data = append(page.Data, complianceInfo{a.nodeID(int64(n.Account)), "whatsapp", s.Cloud.Compliance})
	}
	return x.reply(page)
}

// setCompliance: POST /{number}/business_compliance_info.
func (a *API) setCompliance(x *exchange, n *kabar.Number) error {
	var in struct {
		Product string `json:"messaging_product"`
		kabar.Compliance
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if err := checkProduct(in.Product); err != nil {
		return err
	}
	if err := in.Validate(); err != nil {
		return err
	}
	if err := a.change(x, n, func(s *kabar.Settings) { s.Cloud.Compliance = &in.Compliance }); err != nil {
		return err
	}
	return x.success()
}

// official: GET /{number}/official_business_account. The badge is Meta's to award.
func (a *API) official(x *exchange, n *kabar.Number) error {
	return x.reply(map[string]string{"id": a.nodeID(int64(n.ID)), "oba_status": "NOT_STARTED", "status_message": noBadge})
}

const noBadge = "Official business accounts are awarded by Meta, not by this server."

// askOfficial: POST /{number}/official_business_account.
func (a *API) askOfficial(*exchange, *kabar.Number) error {
	return kabar.Refuse(kabar.ReasonInvalid, "", "%s", noBadge)
}
