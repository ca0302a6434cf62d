package graph

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/web"
)

// The types of errors.
const (
	oauthException  = "OAuthException"
	methodException = "GraphMethodException"
)

// refusal is how a refused request is called.
type refusal struct {
	code    int
	title   string
	status  int
	subcode int
	kind    string // empty: oauthException
	user    string // what people are told, above the details; empty: nothing
}

// refusals are the reasons of requests that are refused (contract, section 3). Any other reason is an internal error.
var refusals = map[kabar.Reason]refusal{
	kabar.ReasonInvalid:        {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonMissing:        {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonNotRequired:    {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonTooLong:        {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonTooLarge:       {code: 100, title: "Invalid parameter", status: 413},
	kabar.ReasonMalformed:      {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonRecipientType:  {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonExists:         {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonUserExists:     {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonKeyReused:      {code: 100, title: "Invalid parameter", status: 400},
	kabar.ReasonNotFound:       {code: 100, title: "Invalid parameter", status: 400, subcode: 33, kind: methodException},
	kabar.ReasonNoToken:        {code: 104, title: "Access token required", status: 401},
	kabar.ReasonTokenExpired:   {code: 190, title: "Access token has expired", status: 401, subcode: 463},
	kabar.ReasonUnauthorized:   {code: 190, title: "Invalid OAuth access token", status: 401, subcode: 467},
	kabar.ReasonPasswordChange: {code: 190, title: "Invalid OAuth access token", status: 401, subcode: 467},
	kabar.ReasonDenied:         {code: 10, title: "Application does not have permission for this action", status: 403},
	kabar.ReasonInsights:       {code: 200007, title: "Cannot disable template insights", status: 400},
	kabar.ReasonMediaUnfit:     {code: 131053, title: "Media upload error", status: 400},
	kabar.ReasonGone:           {code: 100, title: "Invalid parameter", status: 404},
	kabar.ReasonGroup:          {code: 131041, title: "Group unknown", status: 400},
	kabar.ReasonKind:           {code: 131051, title: "Unsupported message type", status: 400},
	kabar.ReasonUnregistered:   {code: 133010, title: "Phone number not registered", status: 400},
	kabar.ReasonWrongPIN:       {code: 133005, title: "Two step verification PIN Mismatch", status: 400},
	kabar.ReasonWrongCode:      {code: 136025, title: "Verify code error", status: 400},
	kabar.ReasonTooMany:        {code: 4, title: "Application request limit reached", status: 400},
	kabar.ReasonOverloaded:     {code: 2, title: "Service temporarily unavailable", status: 503},
	kabar.ReasonNotReady:       {code: 2, title: "Service temporarily unavailable", status: 503},
	kabar.ReasonStore:          {code: 131000, title: "Something went wrong", status: 500},
	kabar.ReasonInternal:       {code: 131000, title: "Something went wrong", status: 500},
	kabar.ReasonSelf:           {code: 131021, title: "Recipient cannot be sender", status: 400},
	kabar.ReasonUnknownUser:    {code: 131026, title: "Message undeliverable", status: 400},
	kabar.ReasonRegisterLimit:  {code: 133016, title: "Account registration/deregistration rate limit exceeded", status: 400},
	kabar.ReasonUsernameTaken:  {code: 147001, title: "Username is not available", status: 400},
	kabar.ReasonUsernameOurs:   {code: 147005, title: "Username belongs to another phone number of the portfolio", status: 400},
	kabar.ReasonBlockLimit:     {code: 139101, title: "Blocklist limit reached", status: 400},
	kabar.ReasonNoConsent:      {code: 131030, title: "Recipient phone number not in allowed list", status: 400},
	kabar.ReasonThroughput:     {code: 130429, title: "Rate limit hit", status: 400},
	kabar.ReasonPair:           {code: 131056, title: "Pair rate limit hit", status: 400},
	kabar.ReasonName:           {code: 131037, title: "Display name approval needed", status: 400},
	kabar.ReasonUpgrade:        {code: 131057, title: "Account in maintenance mode", status: 500},
	kabar.ReasonBlockBusy:      {code: 139102, title: "Blocklist concurrent update", status: 400},
	kabar.ReasonIdentity:       {code: 137000, title: "User identity key hash mismatch", status: 400},

	kabar.ReasonTemplateParamCount: {code: 132000, title: "Number of parameters does not match the expected number of params", status: 400},
	kabar.ReasonTemplateMissing:    {code: 132001, title: "Template name does not exist in the translation", status: 404},
	kabar.ReasonTemplatePack:       {code: 132001, title: "Template name does not exist in the translation", status: 404},
	kabar.ReasonTemplateRejected:   {code: 132001, title: "Template name does not exist in the translation", status: 404},
	kabar.ReasonTemplateParamLong:  {code: 132005, title: "Translated text too long", status: 400},
	kabar.ReasonTemplateTextLong:   {code: 132005, title: "Translated text too long", status: 400},
	kabar.ReasonTemplateSpace:      {code: 132007, title: "Template format character policy violated", status: 400},
	kabar.ReasonTemplateCharacter:  {code: 132007, title: "Template format character policy violated", status: 400},
	kabar.ReasonTemplateMedia:      {code: 132012, title: "Parameter format does not match format in the created template", status: 400},
	kabar.ReasonTemplateFormat:     {code: 132012, title: "Parameter format does not match format in the created template", status: 400},
	kabar.ReasonTemplateURL:        {code: 132012, title: "Parameter format does not match format in the created template", status: 400},
	kabar.ReasonTemplatePhone:      {code: 132012, title: "Parameter format does not match format in the created template", status: 400},
	kabar.ReasonTemplateButtons:    {code: 132012, title: "Parameter format does not match format in the created template", status: 400},
	kabar.ReasonTemplateComponent:  {code: 131008, title: "Required parameter is missing", status: 400},
	kabar.ReasonTemplatePaused:     {code: 132015, title: "Template is paused", status: 400},
	kabar.ReasonTemplateDisabled:   {code: 132016, title: "Template is disabled", status: 400},

	kabar.ReasonNotTemplate:  {code: 131055, title: "Method not allowed", status: 400},
	kabar.ReasonNotMarketing: {code: 134100, title: "Only marketing messages supported", status: 400},

	kabar.ReasonListSections:    {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonListRows:        {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonListCharacters:  {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonHeader:          {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonFlowUpdate:      {code: 139001, title: "Updating attempt failed", status: 400, user: "Flow can't be updated"},
	kabar.ReasonFlowPublish:     {code: 139002, title: "Publishing attempt failed", status: 400, user: "Flow can't be published"},
	kabar.ReasonFlowDeprecate:   {code: 139003, title: "Deprecating attempt failed", status: 400, user: "Flow can't be deprecated"},
	kabar.ReasonFlowDelete:      {code: 139004, title: "Deleting attempt failed", status: 400, user: "Flow can't be deleted"},
	kabar.ReasonFlowBlocked:     {code: 132068, title: "Flow is blocked", status: 400},
	kabar.ReasonFlow:            {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonProductCount:    {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonCatalogUnknown:  {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonCatalogNone:     {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonProductsMissing: {code: 131009, title: "Parameter value is not valid", status: 400},
	kabar.ReasonProductsNone:    {code: 131009, title: "Parameter value is not valid", status: 400},
}

// ofMessages are what the edge for messages calls otherwise.
var ofMessages = map[kabar.Reason]refusal{
	kabar.ReasonMissing: {code: 131008, title: "Required parameter is missing", status: 400},
	kabar.ReasonInvalid: {code: 131009, title: "Parameter value is not valid", status: 400},
}

// ofBlocking is what the block list calls otherwise.
var ofBlocking = map[kabar.Reason]refusal{
	kabar.ReasonInternal: {code: 139103, title: "Blocklist internal error", status: 400},
	kabar.ReasonStore:    {code: 139103, title: "Blocklist internal error", status: 400},
}

// ofRegistering is what registering a number calls otherwise.
var ofRegistering = map[kabar.Reason]refusal{
	kabar.ReasonNotReady:     {code: 133004, title: "Server temporarily unavailable", status: 503},
	kabar.ReasonUnregistered: {code: 133006, title: "Phone number re-verification needed", status: 400},
	kabar.ReasonTooMany:      {code: 133008, title: "Too many two-step verification PIN guesses", status: 400},
}

// blockFailed stands beside the list of customers when some could not be blocked, or unblocked.
var blockFailed = refusal{code: 139100, title: "Failed to block/unblock users", status: 400}

// ofMarketing are what the edge for marketing calls otherwise.
var ofMarketing = map[kabar.Reason]refusal{
	kabar.ReasonMissing:           ofMessages[kabar.ReasonMissing],
	kabar.ReasonInvalid:           ofMessages[kabar.ReasonInvalid],
	kabar.ReasonTemplateSpace:     {code: 132018, title: "Template validation failed", status: 400},
	kabar.ReasonTemplateCharacter: {code: 132018, title: "Template validation failed", status: 400},
}

// answer is the body of a refusal.
type answer struct {
	Error fault `json:"error"`
}

type fault struct {
	Message string     `json:"message"`
	Type    string     `json:"type"`
	Code    int        `json:"code"`
	Data    *faultData `json:"error_data,omitzero"`
	Subcode int        `json:"error_subcode,omitzero"`
	Title   string     `json:"error_user_title,omitzero"`
	Text    string     `json:"error_user_msg,omitzero"`
	Passing bool       `json:"is_transient,omitzero"`
	Trace   string     `json:"fbtrace_id"`
}

type faultData struct {
	Product string `json:"messaging_product"`
	Details string `json:"details"`
}

// noNode refuses an id that is of no node, or of one that whoever asks has no part in.
func noNode(x *exchange, id string) error {
	method := "get"
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		method = "post"
	}
	if x.r.Method == http.MethodDelete {
		method = "delete"
	}
	return &kabar.Error{Reason: kabar.ReasonNotFound, Detail: fmt.Sprintf("Unsupported %s request. Object with ID '%s' does not exist, cannot be "+
		"loaded due to missing permissions, or does not support this operation", method, clip(id))}
}

// fail answers an error. What is none of the caller's faults is logged under the request's id and told without detail.
func (a *API) fail(x *exchange, err error) {
	refused := refusalOf(x.r, err)
	if refused == nil {
		a.log.ErrorContext(x.r.Context(), "request failed", "err", err, "method", x.r.Method, "pattern", x.r.Pattern, "trace", x.trace)
		refused = kabar.Refuse(kabar.ReasonInternal, "", "The server's log says more under this fbtrace_id.")
	}
	f, ok := refusals[refused.Reason]
	if !ok {
		f = refusals[kabar.ReasonInternal]
	}
	if own, other := x.own[refused.Reason]; other {
		f = own
	}
	a.refuse(x, f, refused)
}

// refuse writes a refusal.
func (a *API) refuse(x *exchange, f refusal, refused *kabar.Error) {
	if refused.After > 0 || f.status == http.StatusServiceUnavailable {
		x.w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(refused.After.Seconds())))))
	}
	if f.status == http.StatusUnauthorized {
		x.w.Header().Set("WWW-Authenticate", fmt.Sprintf(`OAuth "Facebook Platform" "invalid_token" %q`, f.title))
	}
	body, err := web.Encode(answer{faultOf(x, f, refused)})
	if err != nil {
		a.log.Error("encode an error", "err", err)
		return
	}
	x.write(f.status, body)
}

// faultOf is the object by which answers tell a refusal.
func faultOf(x *exchange, f refusal, refused *kabar.Error) fault {
	e := fault{Message: fmt.Sprintf("(#%d) %s", f.code, f.title), Type: f.kind, Code: f.code, Subcode: f.subcode, Trace: x.trace,
		Data: &faultData{"whatsapp", refused.Explanation()}, Passing: f.status == http.StatusServiceUnavailable}
	if f.user != "" {
		e.Title, e.Text = f.user, refused.Explanation()
	}
	switch {
	case f.kind == methodException:
		e.Message, e.Data = refused.Detail, nil
	case f.status == http.StatusUnauthorized:
		e.Type, e.Message, e.Data = oauthException, refused.Explanation(), nil
	default:
		e.Type = oauthException
	}
	return e
}

// refusalOf finds the refusal in an error; nil for an internal fault.
func refusalOf(r *http.Request, err error) *kabar.Error {
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return refused
	}
	if fault := web.Fault(err); fault != nil {
		return bodyRefusal(fault)
	}
	if r.Context().Err() != nil { // the client has left, or the server stops: nothing of the request was done
		return kabar.Refuse(kabar.ReasonNotReady, "", "the request was given up")
	}
	return nil
}

// bodyRefusal says what is wrong with a JSON body. What is not JSON, or could be understood in two ways, is malformed.
func bodyRefusal(e *web.Error) *kabar.Error {
	switch {
	case e.Kind == web.WrongType && e.Key != "":
		return kabar.Refuse(kabar.ReasonInvalid, e.Path(), "%s", e.Detail)
	case e.Kind == web.TooLarge:
		return kabar.Refuse(kabar.ReasonTooLarge, "", "the body has %s", e.Detail)
	case e.Kind == web.BrokenOff:
		return kabar.Refuse(kabar.ReasonMalformed, "", "%s", e.Error())
	}
	return kabar.Refuse(kabar.ReasonMalformed, "", "the body cannot be read as JSON: %s", e.Error())
}
