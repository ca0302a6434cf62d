package kabar

import (
	"fmt"
	"strings"
	"time"
)

// Reason says why something was refused or failed. The dialects turn a Reason into their own code, title and HTTP
// status, each in one table; nothing else in the product knows API error codes.
type Reason string

// Reasons of requests that are refused at once.
const (
	ReasonMissing        Reason = "required parameter is missing"
	ReasonInvalid        Reason = "parameter value is not valid"
	ReasonNotRequired    Reason = "parameter is not required"
	ReasonTooLong        Reason = "message too long"
	ReasonRecipientType  Reason = "recipient type is not valid"
	ReasonMediaUnfit     Reason = "the medium cannot be sent as this kind"
	ReasonGone           Reason = "the link is not valid"
	ReasonInsights       Reason = "figures cannot be switched off"
	ReasonGroup          Reason = "there is no such group"
	ReasonKind           Reason = "message type is not supported"
	ReasonUnregistered   Reason = "the number is not registered"
	ReasonWrongPIN       Reason = "the PIN does not match"
	ReasonWrongCode      Reason = "the verification code is wrong"
	ReasonMalformed      Reason = "request is not valid"
	ReasonNotFound       Reason = "not found"
	ReasonExists         Reason = "already exists"
	ReasonUserExists     Reason = "there is such a user already"
	ReasonKeyReused      Reason = "idempotency key was used with another body"
	ReasonDenied         Reason = "access denied"
	ReasonUnauthorized   Reason = "credentials are missing or not valid"
	ReasonNoToken        Reason = "an access token is required"
	ReasonTokenExpired   Reason = "the access token has expired"
	ReasonPasswordChange Reason = "password change required"
	ReasonSelf           Reason = "sender and recipient are the same"
	ReasonTooMany        Reason = "too many requests"
	ReasonOverloaded     Reason = "system overloaded"
	ReasonNotReady       Reason = "service not ready"
	ReasonStore          Reason = "database error"
	ReasonInternal       Reason = "internal error"
	ReasonIdentity       Reason = "identity change requires acknowledgement"
	ReasonTooLarge       Reason = "body too large"
	ReasonRegisterLimit  Reason = "the number was registered or deregistered too often"
	ReasonUsernameTaken  Reason = "the username is not available"
	ReasonUsernameOurs   Reason = "another number of the business has the username"
	ReasonBlockLimit     Reason = "the block list is full"
	ReasonBlockBusy      Reason = "the block list is being changed"
	ReasonNoConsent      Reason = "recipient has not opted in"
	ReasonThroughput     Reason = "the number sends too many messages a second"
	ReasonPair           Reason = "the recipient is sent too many messages in a short time"
	ReasonName           Reason = "the display name is not approved"
	ReasonUpgrade        Reason = "the throughput of the number is being raised"
)

// Reasons of templates (refused at once).
const (
	ReasonTemplateMissing    Reason = "template missing"
	ReasonTemplatePack       Reason = "template pack missing" // the account has no template in the language
	ReasonTemplateParamCount Reason = "template parameter count mismatch"
	ReasonTemplateParamLong  Reason = "template parameter too long"
	ReasonTemplateTextLong   Reason = "template text too long"
	ReasonTemplateSpace      Reason = "template white space policy violated"
	ReasonTemplateCharacter  Reason = "template format character policy violated"
	ReasonTemplateMedia      Reason = "template media format unsupported"
	ReasonTemplateURL        Reason = "template button URL invalid"
	ReasonTemplatePhone      Reason = "template button phone number invalid"
	ReasonTemplateButtons    Reason = "template buttons unsupported"
	ReasonTemplateFormat     Reason = "template parameter format mismatch"
	ReasonTemplateComponent  Reason = "template component missing"
	ReasonTemplateRejected   Reason = "template rejected"
	ReasonTemplatePaused     Reason = "template paused"
	ReasonTemplateDisabled   Reason = "template disabled"
	ReasonListSections       Reason = "invalid number of sections"
	ReasonListRows           Reason = "invalid number of rows" // a section has none; too many are ReasonInvalid
	ReasonListCharacters     Reason = "character policy violated"
	ReasonHeader             Reason = "invalid header structure"
	ReasonFlow               Reason = "invalid flow id"
	ReasonNotTemplate        Reason = "only templates can be sent here"
	ReasonNotMarketing       Reason = "only marketing templates can be sent here"
)

// Reasons of messages with products (refused at once).
const (
	ReasonProductCount    Reason = "invalid number of products"
	ReasonCatalogUnknown  Reason = "catalog not found"
	ReasonCatalogNone     Reason = "no catalog is linked"
	ReasonProductsMissing Reason = "some products are missing"
	ReasonProductsNone    Reason = "no product was found"
)

// Reasons of messages that are accepted and then fail: they arrive as a failed status.
const (
	ReasonWindowClosed  Reason = "customer service window is closed"
	ReasonExpired       Reason = "message expired"
	ReasonUndeliverable Reason = "message undeliverable"
	ReasonUnknownUser   Reason = "recipient is not on the network"
	ReasonBarred        Reason = "recipient is blocked by the business"
	ReasonOptedOut      Reason = "recipient does not want this"
	ReasonCapped        Reason = "recipient has had as much marketing as allowed"
	ReasonMediaDownload Reason = "media download error"
	ReasonPayment       Reason = "the line of credit does not cover the message"
	ReasonTier          Reason = "the account has reached as many customers as it may"
)

// Error is a refusal with its reason. It is the only error type the API dialects translate; everything else is an
// internal error to them.
type Error struct {
	Reason Reason
	Field  string // the parameter at fault, dotted ("interactive.action.buttons"); may be empty
	Detail string // one sentence for the developer who reads the answer; may be empty
	After  time.Duration
}

func (e *Error) Error() string {
	s := string(e.Reason)
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Explanation tells whoever asked what is wrong, and names the field: without the reason, for which each API has words of its own.
func (e *Error) Explanation() string {
	what := e.Detail
	if what == "" {
		what = string(e.Reason)
	}
	if e.Field == "" {
		return what
	}
	return e.Field + ": " + what
}

// WordsOf writes the words that are allowed one after another, for a refusal.
func WordsOf[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// Refuse makes an Error about a field. The detail is a format as of fmt.Sprintf.
func Refuse(r Reason, field, detail string, args ...any) *Error {
	return &Error{Reason: r, Field: field, Detail: fmt.Sprintf(detail, args...)}
}
