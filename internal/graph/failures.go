package graph

import (
	"net/http"

	"kabar"
)

// hookFault is an error as webhooks tell it.
type hookFault struct {
	Code    int       `json:"code"`
	Title   string    `json:"title"`
	Message string    `json:"message"`
	Data    faultText `json:"error_data,omitzero"`
	Href    string    `json:"href"`
}

type faultText struct {
	Details string `json:"details"`
}

// faultPage is where errors are explained, as webhooks say.
const faultPage = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"

// failed is how a failure is called.
type failed struct {
	code           int
	title, details string
}

// failures are the reasons of messages that were accepted and failed. Any other reason has the code that a refusal has.
var failures = map[kabar.Reason]failed{
	kabar.ReasonMediaDownload: {131053, "Media upload error", "The media could not be fetched or cannot be sent."},
	kabar.ReasonExpired:       {131026, "Message undeliverable", "The time to live of the message was over before it could be delivered."},
	kabar.ReasonWindowClosed:  {131047, "Re-engagement message", "The customer has not written in the last 24 hours: only a template can be sent."},
	kabar.ReasonUndeliverable: {131026, "Message undeliverable", "The message could not be delivered."},
	kabar.ReasonBarred:        {130403, "Business blocked user", "The business has blocked the recipient."},
	kabar.ReasonOptedOut:      {131050, "User stopped marketing messages", "The recipient has opted out."},
	kabar.ReasonNoConsent:     {131030, "Recipient phone number not in allowed list", "The recipient has not opted in, which this number requires."},
	kabar.ReasonCapped:        {131049, "Meta chose not to deliver", "The recipient has had as much marketing as the number sends in 24 hours."},
	kabar.ReasonUnknownUser:   {131026, "Message undeliverable", "The recipient is not on the network."},
	kabar.ReasonTier:          {131048, "Spam rate limit hit", "The account has reached as many customers in 24 hours as its messaging limit allows."},
	kabar.ReasonPayment:       {131042, "Business eligibility payment issue", "The line of credit of the account does not cover the message."},
	kabar.ReasonIdentity:      {137000, "User identity key hash mismatch", "The recipient's identity has changed since the message was accepted, and was not acknowledged."},
}

// failure returns how a webhook calls a reason, of a message of the business or of one of a customer.
func failure(r kabar.Reason, inbound bool) hookFault {
	f, ok := failures[r]
	switch refused, known := refusals[r]; {
	case inbound && r == kabar.ReasonMediaDownload:
		f = failed{131052, "Media download error", "The media could not be fetched."}
	case ok:
	case known && refused.status < http.StatusInternalServerError:
		f = failed{refused.code, refused.title, string(r)}
	default:
		f = failed{131000, "Something went wrong", "System error. Please try again."}
	}
	return hookFault{f.code, f.title, f.title, faultText{f.details}, faultPage}
}

// unsupported stands in the webhook of a customer's message that is not understood.
func unsupported() hookFault {
	const title = "Message type unknown"
	return hookFault{131051, title, title, faultText{"Message type is currently not supported."}, faultPage}
}
