package graph

import (
	"errors"
	"strings"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/web"
)

// updateNumber: POST /{number} sets the PIN of two-step verification, the name, or where the webhooks of the number go. All is looked
// at before anything changes.
func (a *API) updateNumber(x *exchange, n *kabar.Number) error {
	var in struct {
		PIN  *web.StringOrInt `json:"pin"`
		Hook *override        `json:"webhook_configuration"`
		Name *string          `json:"new_display_name"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if in.PIN == nil && in.Hook == nil && in.Name == nil {
		return kabar.Refuse(kabar.ReasonMissing, "pin", "nothing to change: pin, webhook_configuration and new_display_name can be")
	}
	var steps []func() error
	if in.Name != nil {
		if err := kabar.CheckName("new_display_name", *in.Name); err != nil {
			return err
		}
		steps = append(steps, func() error { return a.engine.Reviews().Rename(x.r.Context(), n.ID, *in.Name, actor) })
	}
	if in.PIN != nil {
		hash, err := a.auth.HashPIN(x.r.Context(), string(*in.PIN))
		if err != nil {
			return err
		}
		steps = append(steps, func() error { return a.change(x, n, func(s *kabar.Settings) { s.PIN = hash }) })
	}
	if in.Hook != nil {
		url, err := a.overrideOf(x, in.Hook)
		if err != nil {
			return err
		}
		steps = append(steps, func() error { return a.engine.SetOverride(x.r.Context(), n.ID, url) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return x.success()
}

func (a *API) change(x *exchange, n *kabar.Number, f func(*kabar.Settings)) error {
	return a.engine.ChangeSettings(x.r.Context(), n.ID, func(s *kabar.Settings, _ *string) error { f(s); return nil })
}

// register: POST /{number}/register. The PIN has to be that of two-step verification; without one it becomes that.
func (a *API) register(x *exchange, n *kabar.Number) error {
	x.own = ofRegistering
	var in struct {
		Product string          `json:"messaging_product"`
		PIN     web.StringOrInt `json:"pin"`
		Region  string          `json:"data_localization_region"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if err := checkProduct(in.Product); err != nil {
		return err
	}
	pin := string(in.PIN)
	if !auth.IsPIN(pin) {
		return kabar.Refuse(kabar.ReasonInvalid, "pin", "must have six digits")
	}
	if in.Region != "" {
		region, err := checkRegion("data_localization_region", in.Region)
		if err != nil {
			return err
		}
		in.Region = region
	}
	if err := a.engine.AttemptRegistration(x.r.Context(), n.ID); err != nil {
		return err
	}
	if err := a.admit(x, n, pin, in.Region); err != nil {
		return err
	}
	return x.success()
}

// admit registers a number with its PIN, and notes where its data are to stay.
func (a *API) admit(x *exchange, n *kabar.Number, pin, region string) error {
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return err
	}
	first := "" // the hash of the PIN, if the number has had none
	if s.PIN == "" {
		first, err = a.auth.HashPIN(x.r.Context(), pin)
	} else if err = a.auth.CheckPIN(x.r.Context(), n.ID, pin, s.PIN, auth.AddressOf(x.r)); isDenied(err) {
		err = wrongPIN(err)
	}
	if err != nil {
		return err
	}
	registered, err := a.engine.Register(x.r.Context(), n.ID, "")
	if err != nil {
		return err
	}
	if !registered {
		return kabar.Refuse(kabar.ReasonUnregistered, "", "the network waits for the number's verification code: POST /verify_code brings it")
	}
	return a.change(x, n, func(s *kabar.Settings) {
		s.Deregistered = false
		if s.PIN == "" { // whoever has set one while the network was asked has the last word
			s.PIN = first
		}
		if region != "" {
			s.Cloud.Region = region
		}
	})
}

// deregister: POST /{number}/deregister. Nothing is sent until the number is registered again.
func (a *API) deregister(x *exchange, n *kabar.Number) error {
	if err := a.engine.AttemptRegistration(x.r.Context(), n.ID); err != nil {
		return err
	}
	if err := a.change(x, n, func(s *kabar.Settings) { s.Deregistered = true }); err != nil {
		return err
	}
	return x.success()
}

// requestCode: POST /{number}/request_code. The code is where the network's operator sees it: there is no telephone.
func (a *API) requestCode(x *exchange, n *kabar.Number) error {
	x.own = ofRegistering
	var in struct {
		Method   string `json:"code_method"`
		Language string `json:"language"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	switch strings.ToUpper(in.Method) {
	case "SMS", "VOICE":
	case "":
		return kabar.Refuse(kabar.ReasonMissing, "code_method", "is required: SMS or VOICE")
	default:
		return kabar.Refuse(kabar.ReasonInvalid, "code_method", "is %q, allowed are SMS and VOICE", clip(in.Method))
	}
	if _, err := a.engine.Register(x.r.Context(), n.ID, ""); err != nil {
		return err
	}
	return x.success()
}

// verifyCode: POST /{number}/verify_code.
func (a *API) verifyCode(x *exchange, n *kabar.Number) error {
	x.own = ofRegistering
	var in struct {
		Code web.StringOrInt `json:"code"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if in.Code == "" {
		return kabar.Refuse(kabar.ReasonMissing, "code", "is required: the code that the network has given")
	}
	err := a.engine.VerifyNumber(x.r.Context(), n.ID, string(in.Code))
	if refused, ok := errors.AsType[*kabar.Error](err); ok && (refused.Reason == kabar.ReasonDenied || refused.Reason == kabar.ReasonNotFound) {
		return &kabar.Error{Reason: kabar.ReasonWrongCode, Field: "code", Detail: refused.Explanation(), After: refused.After}
	}
	if err != nil {
		return err
	}
	return x.reply(map[string]any{"success": true, "id": a.nodeID(int64(n.ID))})
}

// wrongPIN tells a PIN that does not match from one that is not looked at, after too many others.
func wrongPIN(err error) error {
	if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.After > 0 {
		return &kabar.Error{Reason: kabar.ReasonTooMany, Field: "pin", Detail: refused.Detail, After: refused.After}
	}
	return kabar.Refuse(kabar.ReasonWrongPIN, "pin", "is not the PIN of this number's two-step verification")
}

func isDenied(err error) bool {
	refused, ok := errors.AsType[*kabar.Error](err)
	return ok && refused.Reason == kabar.ReasonDenied
}
