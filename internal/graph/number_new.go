package graph

import (
	"kabar"
	"kabar/internal/e164"
	"kabar/internal/web"
)

// maxNumbers is how many numbers a business can have (contract, section 4).
const maxNumbers = 20

// createNumber: POST /{account}/phone_numbers. The number is then admitted by its network: request_code, verify_code, register.
func (a *API) createNumber(x *exchange, w *kabar.Account) error {
	var in struct {
		CC       web.StringOrInt `json:"cc"`
		Number   web.StringOrInt `json:"phone_number"`
		Name     string          `json:"verified_name"`
		Migrate  bool            `json:"migrate_phone_number"`
		Verified string          `json:"preverified_id"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	switch {
	case in.Number == "":
		return kabar.Refuse(kabar.ReasonMissing, "phone_number", "is required")
	case in.Migrate:
		return kabar.Refuse(kabar.ReasonInvalid, "migrate_phone_number", "numbers are not moved between accounts here")
	case in.Verified != "":
		return kabar.Refuse(kabar.ReasonInvalid, "preverified_id", "there are no numbers that are verified beforehand")
	case x.who.Number != 0 || a.addNumber == nil:
		return kabar.Refuse(kabar.ReasonDenied, "", "this token is for one number and cannot add others")
	}
	if err := kabar.CheckName("verified_name", in.Name); err != nil {
		return err
	}
	digits, known := e164.In(string(in.CC), string(in.Number))
	if !known {
		return kabar.Refuse(kabar.ReasonInvalid, "phone_number", "is no number as its country has them: send cc, the country's code, and the digits behind it")
	}
	a.adding.Lock()
	defer a.adding.Unlock()
	if len(a.engine.Numbers()) >= maxNumbers {
		return kabar.Refuse(kabar.ReasonInvalid, "", "the business has %d numbers, which is the limit", maxNumbers)
	}
	n, err := a.addNumber(x.r.Context(), w.ID, digits, in.Name)
	if err != nil {
		return err
	}
	return x.reply(map[string]string{"id": a.nodeID(int64(n.ID))})
}
