package eventjson

import (
	"cmp"
	"strconv"
	"strings"

	"kabar"
)

// pricing is what a message is priced as.
type pricing struct {
	Category kabar.Category `json:"category"`
	Billable bool           `json:"billable"`
	Type     kabar.Pricing  `json:"type"` // why it costs, or why not
}

// pricingOf says it of a status. Reactions are never priced, and messages from before there were prices have no category.
func pricingOf(ev *kabar.Event) *pricing {
	category := cmp.Or(ev.Class, ev.Category)
	if category == "" || ev.Of == kabar.KindReaction || ev.Status == kabar.Failed {
		return nil
	}
	why := cmp.Or(ev.Pricing, category.Pricing())
	return &pricing{category, why == kabar.PricingRegular, why}
}

// identity is whose keys a customer's messages are encrypted for.
type identity struct {
	Hash         string `json:"hash"`
	Since        string `json:"since,omitzero"`
	Acknowledged bool   `json:"acknowledged"` // a new one is not until the business has said so
}

func identityOf(i *kabar.Identity) *identity {
	if i == nil {
		return nil
	}
	out := &identity{Hash: i.Hash, Acknowledged: i.Acknowledged}
	if !i.Since.IsZero() {
		out.Since = moment(i.Since)
	}
	return out
}

type consent struct {
	State  kabar.ConsentState `json:"state"`
	Detail string             `json:"detail,omitzero"` // how the customer said so
}

// contact is the answer about somebody the business has asked about.
type contact struct {
	Input  string              `json:"input"`
	Status kabar.ContactStatus `json:"status"`
	WaID   string              `json:"wa_id,omitzero"`
	User   string              `json:"user_id,omitzero"`
}

func contactsOf(all []kabar.Contact) []contact {
	out := make([]contact, len(all))
	for i, c := range all {
		out[i] = contact{Input: c.Input, Status: c.Status}
		if strings.Trim(c.Handle, "0123456789") == "" {
			out[i].WaID = c.Handle
		} else {
			out[i].User = c.Handle
		}
	}
	return out
}

// name is a name of the number that was put before review, or decided upon.
type name struct {
	Wanted  string           `json:"requested"`
	Outcome string           `json:"outcome"`
	Reason  kabar.NameReason `json:"reason,omitzero"` // why it was rejected
}

func nameOf(ev *kabar.Event) *name {
	return &name{ev.Name, lower(cmp.Or(ev.Outcome, kabar.OutcomeApproved)), ev.Declined}
}

type review struct {
	Outcome string `json:"outcome"`
}

// credit is how far the account's line of credit is used. Amounts are decimals in text, as /kabar/v1 has them.
type credit struct {
	Percent   int         `json:"percent"`
	Limit     kabar.Money `json:"limit"`
	Available kabar.Money `json:"available"`
	Currency  string      `json:"currency"`
}

type limits struct {
	Was limit `json:"was"`
	Now limit `json:"now"`
}

// limit is what /kabar/v1/numbers/{number}/limits shows.
type limit struct {
	Throughput kabar.Throughput `json:"throughput"` // messages a second; 0: there is no limit
	PairRate   bool             `json:"pair_rate"`
	Tier       string           `json:"tier"`
}

func limitsOf(l kabar.Limits) limit { return limit{l.Throughput, l.PairRate, l.Tier.String()} }

// template is a change of a template of the account: Change says of what.
type template struct {
	ID       string               `json:"id"`
	Name     string               `json:"name"`
	Language string               `json:"language"`
	Category string               `json:"category"`
	Status   kabar.TemplateStatus `json:"status"`
	Change   kabar.TemplateNews   `json:"change"`

	Event       string               `json:"event,omitzero"`
	Reason      kabar.RejectedReason `json:"rejected_reason,omitzero"`
	Advice      string               `json:"advice,omitzero"`
	Title       string               `json:"title,omitzero"`
	Description string               `json:"description,omitzero"`

	Before kabar.TemplateScore `json:"previous_quality_score,omitzero"`
	Score  kabar.TemplateScore `json:"quality_score,omitzero"`

	Previous string `json:"previous_category,omitzero"`
	Correct  string `json:"correct_category,omitzero"`
	At       string `json:"effective,omitzero"` // when that becomes the category

	Components []kabar.TemplateComponent `json:"components,omitempty"`
}

func templateOf(c *kabar.TemplateChange) *template {
	t := &template{ID: strconv.FormatInt(int64(c.ID), 10), Name: c.Name, Language: c.Language, Category: c.Category.Graph(), Status: c.Status,
		Change: c.Kind, Event: c.Event, Reason: c.Reason, Advice: c.Advice, Title: c.Title, Description: c.Description, Before: c.Before,
		Score: c.Score, Previous: c.Previous.Graph(), Correct: c.Correct.Graph(), Components: c.Components}
	if !c.At.IsZero() {
		t.At = moment(c.At)
	}
	return t
}

// endpoint is an endpoint of the number that is in another state.
type endpoint struct {
	ID     string              `json:"id"`
	State  kabar.EndpointState `json:"state"`
	Reason string              `json:"reason,omitzero"`
	By     string              `json:"by,omitzero"`
}
