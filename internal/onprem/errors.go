package onprem

import (
	"errors"
	"math"
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/web"
)

// fault is an error as answers and webhooks show it.
type fault struct {
	Code    int    `json:"code"`
	Title   string `json:"title"`
	Details string `json:"details,omitempty"`
}

// refusal is how a refused request is called.
type refusal struct {
	code   int
	title  string
	status int
}

// refusals are the reasons of requests that are refused (contract, section 3). Any other reason is an internal error.
var refusals = map[kabar.Reason]refusal{
	kabar.ReasonTooLong:        {1001, "Message too long", 400},
	kabar.ReasonRecipientType:  {1002, "Invalid recipient type", 400},
	kabar.ReasonExists:         {1004, "Resource already exists", 409},
	kabar.ReasonKeyReused:      {1004, "Resource already exists", 409},
	kabar.ReasonDenied:         {1005, "Access denied", 403},
	kabar.ReasonUnauthorized:   {1005, "Access denied", 401},
	kabar.ReasonGone:           {1006, "Resource not found", 404},
	kabar.ReasonGroup:          {1005, "Access denied", 403},
	kabar.ReasonKind:           {1009, "Parameter value is not valid", 400},
	kabar.ReasonUnregistered:   {1005, "Access denied", 403},
	kabar.ReasonWrongPIN:       {1005, "Access denied", 403},
	kabar.ReasonWrongCode:      {1005, "Access denied", 403},
	kabar.ReasonNoToken:        {1005, "Access denied", 401},
	kabar.ReasonTokenExpired:   {1005, "Access denied", 401},
	kabar.ReasonNotFound:       {1006, "Resource not found", 404},
	kabar.ReasonMissing:        {1008, "Required parameter is missing", 400},
	kabar.ReasonInvalid:        {1009, "Parameter value is not valid", 400},
	kabar.ReasonMediaUnfit:     {1009, "Parameter value is not valid", 400},
	kabar.ReasonTooLarge:       {1009, "Parameter value is not valid", 400},
	kabar.ReasonNotRequired:    {1010, "Parameter is not required", 400},
	kabar.ReasonNotReady:       {1011, "Service not ready", 503},
	kabar.ReasonUnknownUser:    {1013, "User is not valid", 400},
	kabar.ReasonUserExists:     {1014, "Internal error", 409},
	kabar.ReasonInternal:       {1014, "Internal error", 500},
	kabar.ReasonTooMany:        {1015, "Too many requests", 429},
	kabar.ReasonOverloaded:     {1016, "System overloaded", 503},
	kabar.ReasonSelf:           {1021, "Bad User", 400},
	kabar.ReasonStore:          {1023, "Database error occurred", 500},
	kabar.ReasonPasswordChange: {1024, "Password change required", 401},
	kabar.ReasonMalformed:      {1025, "Request is not valid", 400},
	kabar.ReasonRegisterLimit:  {1015, "Too many requests", 429},
	kabar.ReasonUsernameTaken:  {1004, "Resource already exists", 409},
	kabar.ReasonUsernameOurs:   {1004, "Resource already exists", 409},
	kabar.ReasonBlockLimit:     {1009, "Parameter value is not valid", 400},
	kabar.ReasonThroughput:     {1015, "Too many requests", 429},
	kabar.ReasonPair:           {1015, "Too many requests", 429},
	kabar.ReasonName:           {1005, "Access denied", 403},
	kabar.ReasonUpgrade:        {1011, "Service not ready", 503},
	kabar.ReasonBlockBusy:      {1011, "Service not ready", 503},
	kabar.ReasonNoConsent:      {1007, "Recipient blocked to receive message", 403},
	kabar.ReasonIdentity:       {1028, "A user_identity_changed system notification requires acknowledgement", 403},

	kabar.ReasonTemplateParamCount: {2000, "Template Param Count Mismatch", 400},
	kabar.ReasonTemplateMissing:    {2001, "Template Missing", 400},
	kabar.ReasonTemplatePack:       {2003, "Template Pack Missing", 400},
	kabar.ReasonTemplateParamLong:  {2004, "Template Param Length Too Long", 400},
	kabar.ReasonTemplateTextLong:   {2005, "Template Hydrated Text Too Long", 400},
	kabar.ReasonTemplateSpace:      {2006, "Template White Space Policy Violated", 400},
	kabar.ReasonTemplateCharacter:  {2007, "Template Format Character Policy Violated", 400},
	kabar.ReasonTemplateMedia:      {2008, "Template Media Format Unsupported", 400},
	kabar.ReasonTemplateComponent:  {2009, "Template Required Component Missing", 400},
	kabar.ReasonTemplateURL:        {2010, "Template Invalid Hydrated URL", 400},
	kabar.ReasonTemplatePhone:      {2011, "Template Invalid Phone Number", 400},
	kabar.ReasonTemplateFormat:     {2012, "Template Parameter Format Mismatch", 400},
	kabar.ReasonTemplateButtons:    {2013, "Template Buttons Unsupported", 400},
	kabar.ReasonListSections:       {2015, "Invalid number of sections", 400},
	kabar.ReasonListRows:           {2016, "Invalid number of rows", 400},
	kabar.ReasonListCharacters:     {2017, "Character Policy Violated", 400},
	kabar.ReasonProductCount:       {2023, "Invalid number of product", 400},
	kabar.ReasonCatalogUnknown:     {2024, "Catalog ID not found", 400},
	kabar.ReasonCatalogNone:        {2025, "Catalog not linked", 400},
	kabar.ReasonProductsMissing:    {2026, "Missing products", 400},
	kabar.ReasonProductsNone:       {2027, "No products found", 400},
	kabar.ReasonHeader:             {2036, "Invalid Header Structure", 400},
	kabar.ReasonTemplateRejected:   {2060, "Template Rejected", 400},
	kabar.ReasonTemplatePaused:     {2061, "Template Paused", 400},
	kabar.ReasonTemplateDisabled:   {2062, "Template Disabled", 400},
	kabar.ReasonFlow:               {2064, "Invalid Flow ID", 400},
	kabar.ReasonFlowBlocked:        {2068, "Flow is blocked", 400},
	kabar.ReasonInsights:           {1009, "Parameter value is not valid", 400},
	kabar.ReasonNotTemplate:        {1009, "Parameter value is not valid", 400},
	kabar.ReasonNotMarketing:       {1009, "Parameter value is not valid", 400},
}

// failures are the reasons of messages that were accepted and failed, and of inbound media that could not be fetched, as
// webhooks call them. Any other reason is a generic error.
var failures = map[kabar.Reason]fault{
	kabar.ReasonMediaDownload: {400, "Media download error", "The media could not be fetched."},
	kabar.ReasonExpired:       {410, "Message expired", "The time to live of the message was over before it could be delivered."},
	kabar.ReasonWindowClosed:  {470, "Re-engagement message", "The customer has not written in the last 24 hours: only a template can be sent."},
	kabar.ReasonUndeliverable: {500, "Generic error", "The message could not be delivered."},
	kabar.ReasonBarred:        {1007, "Recipient blocked to receive message", "The business has blocked the recipient."},
	kabar.ReasonOptedOut:      {1007, "Recipient blocked to receive message", "The recipient has opted out."},
	kabar.ReasonNoConsent:     {1007, "Recipient blocked to receive message", "The recipient has not opted in, which this number requires."},
	kabar.ReasonCapped:        {471, "Spam rate limit hit", "The recipient has had as much marketing as the number sends in 24 hours."},
	kabar.ReasonUnknownUser:   {1013, "User is not valid", "The recipient is not on the network."},
	kabar.ReasonTier:          {471, "Spam rate limit hit", "The account has reached as many customers in 24 hours as its messaging limit allows."},
	kabar.ReasonPayment:       {402, "Business eligibility — Payment issue", "The line of credit of the account does not cover the message."},
	kabar.ReasonIdentity:      {480, "User potentially changed", "The recipient's identity has changed since the message was accepted, and was not acknowledged."},
}

// failure returns how a webhook calls a reason.
func failure(r kabar.Reason) fault {
	if f, ok := failures[r]; ok {
		return f
	}
	if f, ok := refusals[r]; ok && f.status < http.StatusInternalServerError {
		return fault{Code: f.code, Title: f.title}
	}
	return fault{500, "Generic error", "System error. Please try again."}
}

// outOfBand returns how a webhook tells of a fault that concerns no message (contract 2.3).
func outOfBand(ev *kabar.Event) fault {
	f, ok := refusals[ev.Failure]
	if !ok {
		f = refusals[kabar.ReasonInternal]
	}
	return fault{f.code, f.title, ev.Detail}
}

// FailureCode returns the error code under which webhooks tell a reason.
func FailureCode(r kabar.Reason) int { return failure(r).Code }

// unknownMessage stands in the webhook of an inbound message that is not understood.
var unknownMessage = fault{501, "Unknown message type", "Message type is not currently supported"}

// fail answers an error. What is none of the caller's faults is logged under the request's id and told without detail.
func (a *API) fail(x *exchange, err error) {
	refused := refusalOf(x.r, err)
	if refused == nil {
		a.log.ErrorContext(x.r.Context(), "request failed", "err", err, "method", x.r.Method, "pattern", x.r.Pattern,
			"request_id", x.w.Header().Get(web.RequestIDHeader))
		refused = kabar.Refuse(kabar.ReasonInternal, "", "The server's log says more under this X-Request-ID.")
	}
	f, ok := refusals[refused.Reason]
	if !ok {
		f = refusals[kabar.ReasonInternal]
	}
	x.challenge(f.status)
	if refused.After > 0 || f.status == http.StatusServiceUnavailable || f.status == http.StatusTooManyRequests {
		seconds := max(1, int(math.Ceil(refused.After.Seconds())))
		x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	body, err := x.encode("errors", []fault{{f.code, f.title, refused.Explanation()}})
	if err != nil {
		a.log.Error("encode an error", "err", err)
		return
	}
	x.write(f.status, body)
}

// challenge says how to authenticate.
func (x *exchange) challenge(status int) {
	switch {
	case status != http.StatusUnauthorized:
	case x.r.URL.Path == Prefix+"users/login":
		x.w.Header().Set("WWW-Authenticate", `Basic realm="Secured"`)
	default:
		x.w.Header().Set("WWW-Authenticate", `Bearer realm="Secured"`)
	}
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
	const malformed = "Unable to decode json from the request: "
	switch {
	case e.Kind == web.UnknownKey:
		return kabar.Refuse(kabar.ReasonNotRequired, e.Path(), "")
	case e.Kind == web.WrongType && e.Key != "":
		return kabar.Refuse(kabar.ReasonInvalid, e.Path(), "%s", e.Detail)
	case e.Kind == web.TooLarge:
		return kabar.Refuse(kabar.ReasonTooLarge, "", "the body has %s", e.Detail)
	case e.Kind == web.BrokenOff:
		return kabar.Refuse(kabar.ReasonMalformed, "", "%s", e.Error())
	case e.Kind == web.Syntax, e.Kind == web.Empty:
		return kabar.Refuse(kabar.ReasonMalformed, "", malformed+"Syntax error")
	}
	return kabar.Refuse(kabar.ReasonMalformed, "", "%s%s", malformed, e.Error())
}
