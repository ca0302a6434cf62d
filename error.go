package kabar

import (
	"fmt"
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
	ReasonMalformed      Reason = "request is not valid"
	ReasonNotFound       Reason = "not found"
	ReasonExists         Reason = "already exists"
	ReasonKeyReused      Reason = "idempotency key was used with another body"
	ReasonDenied         Reason = "access denied"
	ReasonUnauthorized   Reason = "credentials are missing or not valid"
	ReasonPasswordChange Reason = "password change required"
	ReasonSelf           Reason = "sender and recipient are the same"
	ReasonTooMany        Reason = "too many requests"
	ReasonOverloaded     Reason = "system overloaded"
	ReasonNotReady       Reason = "service not ready"
	ReasonStore          Reason = "database error"
	ReasonInternal       Reason = "internal error"
	ReasonIdentity       Reason = "identity change requires acknowledgement"
	ReasonTooLarge       Reason = "body too large"
)

// Reasons of templates (refused at once).
const (
	ReasonTemplateMissing    Reason = "template missing"
	ReasonTemplateParamCount Reason = "template parameter count mismatch"
	ReasonTemplateParamLong  Reason = "template parameter too long"
	ReasonTemplateTextLong   Reason = "template text too long"
	ReasonTemplateFormat     Reason = "template parameter format mismatch"
	ReasonTemplateComponent  Reason = "template component missing"
	ReasonTemplateRejected   Reason = "template rejected"
	ReasonTemplatePaused     Reason = "template paused"
	ReasonTemplateDisabled   Reason = "template disabled"
	ReasonListSections       Reason = "invalid number of sections"
	ReasonListRows           Reason = "invalid number of rows"
)

// Reasons of messages that are accepted and then fail: they arrive as a failed status.
const (
	ReasonWindowClosed  Reason = "customer service window is closed"
	ReasonExpired       Reason = "message expired"
	ReasonUndeliverable Reason = "message undeliverable"
	ReasonUnknownUser   Reason = "recipient is not on the network"
	ReasonMediaDownload Reason = "media download error"
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

// Refuse makes an Error about a field. The detail is a format as of fmt.Sprintf.
func Refuse(r Reason, field, detail string, args ...any) *Error {
	return &Error{Reason: r, Field: field, Detail: fmt.Sprintf(detail, args...)}
}
