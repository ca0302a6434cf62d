package graph

import (
	"errors"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/store"
)

// tokenShown is what debug_token says of a token.
type tokenShown struct {
	App         string     `json:"app_id"`
	Type        string     `json:"type,omitzero"`
	Application string     `json:"application,omitzero"`
	DataEnds    int64      `json:"data_access_expires_at"`
	Ends        int64      `json:"expires_at"` // 0: never
	Valid       bool       `json:"is_valid"`
	Issued      int64      `json:"issued_at,omitzero"`
	Scopes      []string   `json:"scopes"`
	Granular    []granular `json:"granular_scopes,omitempty"`
	User        string     `json:"user_id,omitzero"`
	Error       *debugged  `json:"error,omitzero"`
}

type granular struct {
	Scope   string   `json:"scope"`
	Targets []string `json:"target_ids"`
}

type debugged struct {
	Code    int    `json:"code"`
	Subcode int    `json:"subcode"`
	Message string `json:"message"`
}

// debugToken: GET /debug_token?input_token=… says whose a token is. Whoever asks learns of tokens of its own account, the app of
// all.
func (a *API) debugToken(x *exchange) error {
	input := x.r.URL.Query().Get("input_token")
	if input == "" {
		return kabar.Refuse(kabar.ReasonMissing, "input_token", "is required: the token to look at")
	}
	app, err := a.app(x)
	if err != nil {
		return err
	}
	shown := tokenShown{App: a.nodeID(app.ID), Application: a.name, Scopes: []string{}}
	who, err := a.auth.Inspect(x.r, input)
	var refused *kabar.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == kabar.ReasonTokenExpired:
		shown.Error = &debugged{190, 463, refused.Detail}
	case errors.As(err, &refused) && refused.Reason == kabar.ReasonUnauthorized, err == nil && !who.App && !mine(x.who, who.Account):
		shown.Error = &debugged{190, 467, "Malformed access token"}
	case err != nil:
		return err
	case who.App:
		shown.Valid, shown.Type = true, "APP"
	default:
		if err := a.describeToken(x, &shown, who, app); err != nil {
			return err
		}
	}
	return x.reply(map[string]any{"data": shown})
}

// describeToken fills in what a token may do, and where.
func (a *API) describeToken(x *exchange, shown *tokenShown, who auth.Who, app *store.App) error {
	shown.Valid, shown.Type, shown.User, shown.Issued = true, "SYSTEM_USER", a.nodeID(app.User), who.Since.Unix()
	if !who.Ends.IsZero() {
		shown.Ends = who.Ends.Unix()
	}
	known, err := a.store.Accounts(x.r.Context())
	if err != nil {
		return store.Refusal(err)
	}
	var targets []string
	for _, w := range known {
		if mine(who, w.ID) {
			targets = append(targets, a.nodeID(int64(w.ID)))
		}
	}
	for _, s := range auth.GraphScopes() {
		if who.May(s) {
			shown.Scopes = append(shown.Scopes, s)
			shown.Granular = append(shown.Granular, granular{s, targets})
		}
	}
	return nil
}

// issued is a token as the OAuth edge answers it.
type issued struct {
	Token string `json:"access_token"`
	Type  string `json:"token_type"`
	Ends  int64  `json:"expires_in,omitzero"` // seconds
}

// issueToken: GET /oauth/access_token. There is no dialog that gives a code here: tokens are made by the operator, so that a
// code is refused, a token is exchanged for itself, and the app gets its own.
func (a *API) issueToken(x *exchange) error {
	var in struct {
		ID       string `json:"client_id"`
		Secret   string `json:"client_secret"`
		Grant    string `json:"grant_type"`
		Code     string `json:"code"`
		Exchange string `json:"fb_exchange_token"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	switch {
	case in.ID == "":
		return kabar.Refuse(kabar.ReasonMissing, "client_id", "Missing client_id parameter.")
	case in.ID != a.auth.AppID():
		return kabar.Refuse(kabar.ReasonInvalid, "client_id", "Error validating application. There is no app with this id here.")
	case !a.auth.CheckAppSecret(in.Secret):
		return kabar.Refuse(kabar.ReasonInvalid, "client_secret", "Error validating client secret.")
	}
	switch in.Grant {
	case "client_credentials":
		return x.reply(issued{Token: in.ID + "|" + in.Secret, Type: "bearer"})
	case "fb_exchange_token":
		return a.exchangeToken(x, in.Exchange)
	case "", "authorization_code":
		return kabar.Refuse(kabar.ReasonInvalid, "code", "This code is not valid: tokens are made by the operator, with kabar key add")
	}
	return kabar.Refuse(kabar.ReasonInvalid, "grant_type", "is %q, allowed are client_credentials and fb_exchange_token", clip(in.Grant))
}

// exchangeToken gives back a token that is good, with the time that it has left.
func (a *API) exchangeToken(x *exchange, token string) error {
	if token == "" {
		return kabar.Refuse(kabar.ReasonMissing, "fb_exchange_token", "is required: the token to exchange")
	}
	who, err := a.auth.Inspect(x.r, token)
	if err != nil {
		return err
	}
	out := issued{Token: token, Type: "bearer"}
	if !who.Ends.IsZero() {
		out.Ends = int64(who.Ends.Sub(a.now()) / time.Second)
	}
	return x.reply(out)
}
