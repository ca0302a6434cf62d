package eventjson

import (
	"strings"
	"unicode"

	"kabar"
)

// fault is what went wrong. Code is for programs and stays as it is, the others are for people.
type fault struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitzero"`
	Card   int    `json:"card,omitzero"` // of a carousel, from 1: what has failed is its medium
}

// failure is how a reason is called where its own words are no good code.
type failure struct{ code, detail string }

// failures are the reasons of messages that were accepted and failed, and of faults. Any other has its own words as code.
var failures = map[kabar.Reason]failure{
	kabar.ReasonWindowClosed:  {"window_closed", "The customer has not written in the last 24 hours: only a template can be sent."},
	kabar.ReasonExpired:       {"expired", "The time to live of the message was over before it could be delivered."},
	kabar.ReasonUndeliverable: {"undeliverable", "The message could not be delivered."},
	kabar.ReasonUnknownUser:   {"unknown_customer", "The recipient is not on the network."},
	kabar.ReasonBarred:        {"customer_blocked", "The business has blocked the recipient."},
	kabar.ReasonOptedOut:      {"opted_out", "The recipient does not want messages of this category."},
	kabar.ReasonNoConsent:     {"no_consent", "The recipient has not opted in, which this number requires."},
	kabar.ReasonCapped:        {"marketing_capped", "The recipient has had as much marketing as the number sends in 24 hours."},
	kabar.ReasonMediaDownload: {"media_unavailable", "The medium could not be fetched."},
	kabar.ReasonPayment:       {"credit_exhausted", "The line of credit of the account does not cover the message."},
	kabar.ReasonTier:          {"tier_reached", "The account has reached as many customers in 24 hours as its messaging limit allows."},
	kabar.ReasonUnregistered:  {"number_unregistered", "The network does not take the number for registered."},
	kabar.ReasonIdentity:      {"identity_changed", "The recipient's identity has changed since the message was accepted, and was not acknowledged."},
}

// faultOf tells a reason; nil for none.
func faultOf(r kabar.Reason) *fault {
	if r == "" {
		return nil
	}
	f, ok := failures[r]
	if !ok {
		f.code = codeOf(r)
	}
	return &fault{Code: f.code, Title: string(r), Detail: f.detail}
}

// codeOf makes a code of the words of a reason, which are stored and so stay as they are: "template paused" is template_paused.
func codeOf(r kabar.Reason) string {
	words := strings.FieldsFunc(strings.ToLower(string(r)), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	return strings.Join(words, "_")
}
