package onprem

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/vname"
	"kabar/internal/web"
)

// accountRequest asks for the registration of a number.
type accountRequest struct {
	CC     *web.StringOrInt `json:"cc"`
	Number *web.StringOrInt `json:"phone_number"` // without cc
	Method string           `json:"method"`
	Cert   string           `json:"cert"`
	PIN    *web.StringOrInt `json:"pin"`
}

// pinLife is for how long whoever has brought the PIN may bring the code: as long as a code lives.
const pinLife = time.Hour

// register: POST /v1/account (contract 1.2). 201 says that the number is registered, 202 that its code is where the network's
// operator sees it, whatever the method: there is no telephone.
func (a *API) register(x *exchange) error {
	var body accountRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if err := a.checkOwn(x, body.CC, body.Number); err != nil {
		return err
	}
	switch {
	case body.Method == "":
		return kabar.Refuse(kabar.ReasonMissing, "method", "is required: sms or voice")
	case body.Method != "sms" && body.Method != "voice":
		return kabar.Refuse(kabar.ReasonInvalid, "method", "is %q, allowed are sms and voice", body.Method)
	case body.Cert == "":
		return kabar.Refuse(kabar.ReasonMissing, "cert", "is required: the verified name certificate")
	}
	cert, err := vname.Decode(body.Cert)
	if err != nil {
		return failedRegistration("vname_cert: " + err.Error())
	}
	if err := a.provePIN(x, body.PIN, true); err != nil {
		return err
	}
	registered, err := a.engine.Register(x.r.Context(), x.number(), cert.Invite)
	if err != nil {
		return registration(err)
	}
	if registered {
		return x.made("", nil)
	}
	answer, err := x.encode("account", []map[string]string{{"vname": cert.Name}})
	if err == nil {
		x.write(http.StatusAccepted, answer)
	}
	return err
}

// verify: POST /v1/account/verify brings the code.
func (a *API) verify(x *exchange) error {
	var body struct {
		Code *web.StringOrInt `json:"code"`
		PIN  *web.StringOrInt `json:"pin"` // in the place of that of POST /v1/account
	}
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.Code == nil {
		return kabar.Refuse(kabar.ReasonMissing, "code", "is required")
	}
	code := strings.ReplaceAll(string(*body.Code), "-", "")
	if code == "" {
		return missingCode()
	}
	if !auth.IsPIN(code) { // codes look like PINs: six digits
		return failedRegistration("the code has six digits")
	}
	if err := a.provePIN(x, body.PIN, false); err != nil {
		return err
	}
	if err := a.engine.VerifyNumber(x.r.Context(), x.number(), code); err != nil {
		if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.Reason == kabar.ReasonNotFound {
			return missingCode()
		}
		return registration(err)
	}
	return x.made("", nil)
}

// checkOwn refuses a number that is not that of whoever asks: every user belongs to one.
func (a *API) checkOwn(x *exchange, cc, rest *web.StringOrInt) error {
	number, err := a.engine.Number(x.number())
	switch {
	case err != nil:
		return err
	case cc == nil || *cc == "":
		return kabar.Refuse(kabar.ReasonMissing, "cc", "is required: the country code")
	case rest == nil || *rest == "":
		return kabar.Refuse(kabar.ReasonMissing, "phone_number", "is required: the number without its country code")
	}
	plain := strings.NewReplacer("+", "", " ", "", "-", "").Replace(string(*cc) + string(*rest))
	if plain != number.Digits {
		return failedRegistration("this user belongs to another number")
	}
	return nil
}

// provePIN checks the PIN of two-step verification, where that is on. required says that it must be brought now; otherwise
// it may have been brought a while ago.
func (a *API) provePIN(x *exchange, pin *web.StringOrInt, required bool) error {
	s, err := a.engine.Settings(x.number())
	switch {
	case err != nil:
		return err
	case s.PIN == "" || !required && pin == nil && a.engine.Now().Before(s.PINProved.Add(pinLife)):
		return nil
	case pin == nil || *pin == "":
		return kabar.Refuse(kabar.ReasonMissing, "pin", "is required: two-step verification is on")
	}
	if err := a.auth.CheckPIN(x.r.Context(), x.number(), string(*pin), s.PIN, auth.AddressOf(x.r)); err != nil {
		return registration(err)
	}
	now := a.engine.Now()
	return a.engine.ChangeSettings(x.r.Context(), x.number(), func(s *kabar.Settings, _ *string) error {
		s.PINProved = now
		return nil
	})
}

// registration says in the words of the contract why a number is not registered.
func registration(err error) error {
	refused, ok := errors.AsType[*kabar.Error](err)
	switch {
	case !ok || refused.Reason != kabar.ReasonDenied:
		return err
	case refused.After > 0:
		minutes := int((refused.After + time.Minute - 1) / time.Minute)
		return &kabar.Error{Reason: kabar.ReasonDenied, After: refused.After,
			Detail: fmt.Sprintf("Please wait %d hour(s) %d minute(s) before trying again", minutes/60, minutes%60)}
	}
	return failedRegistration(refused.Detail)
}

func failedRegistration(why string) error {
	return kabar.Refuse(kabar.ReasonDenied, "", "Registration failed for reason '%s'", why)
}

func missingCode() error {
	return kabar.Refuse(kabar.ReasonDenied, "", "Error checking code (missing)")
}

// shards are the numbers of customers of a number that can be set to be worked at once.
var shards = []int{1, 2, 4, 8, 16, 32}

// showShards: GET /v1/account/shards. A number that has not been told works as many customers as the server does.
func (a *API) showShards(x *exchange) error {
	s, err := a.engine.Settings(x.number())
	if err != nil {
		return err
	}
	n := s.Shards
	if n == 0 {
		n = slices.Max(shards)
	}
	return x.reply("account", map[string]int{"shards": n})
}

// setShards: POST /v1/account/shards.
func (a *API) setShards(x *exchange) error {
	var body struct {
		CC     *web.StringOrInt `json:"cc"`
		Number *web.StringOrInt `json:"phone_number"`
		Shards *web.IntOrString `json:"shards"`
		PIN    *web.StringOrInt `json:"pin"`
		Cert   string           `json:"cert"`
	}
	if err := x.decode(&body); err != nil {
		return err
	}
	if err := a.checkOwn(x, body.CC, body.Number); err != nil {
		return err
	}
	switch {
	case body.Shards == nil:
		return kabar.Refuse(kabar.ReasonMissing, "shards", "is required: 1, 2, 4, 8, 16 or 32")
	case !slices.Contains(shards, int(*body.Shards)):
		return kabar.Refuse(kabar.ReasonInvalid, "shards", "is %d, allowed are 1, 2, 4, 8, 16 and 32", *body.Shards)
	case body.Cert == "":
		return kabar.Refuse(kabar.ReasonMissing, "cert", "is required since version 2.45: the verified name certificate")
	}
	if _, err := vname.Decode(body.Cert); err != nil {
		return failedRegistration("vname_cert: " + err.Error())
	}
	if body.PIN != nil {
		if err := a.provePIN(x, body.PIN, true); err != nil {
			return err
		}
	}
	err := a.engine.ChangeSettings(x.r.Context(), x.number(), func(s *kabar.Settings, _ *string) error {
		s.Shards = int(*body.Shards)
		return nil
	})
	if err != nil {
		return err
	}
	return x.made("", nil)
}

// made answers 201 with the envelope.
func (x *exchange) made(node string, value any) error {
	answer, err := x.encode(node, value)
	if err == nil {
		x.write(http.StatusCreated, answer)
	}
	return err
}
