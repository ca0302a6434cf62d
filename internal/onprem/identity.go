package onprem

import (
	"kabar"
	"kabar/internal/engine"
)

// identity is a customer's identity as calls and webhooks show it (contract 1.4 and 2.1).
type identity struct {
	Hash         string `json:"hash"`
	Created      int64  `json:"created_timestamp"` // milliseconds since 1970
	Acknowledged bool   `json:"acknowledged"`
}

func identityOf(id *kabar.Identity) *identity {
	if id == nil {
		return nil
	}
	i := &identity{Hash: id.Hash, Acknowledged: id.Acknowledged}
	if !id.Since.IsZero() {
		i.Created = id.Since.UnixMilli()
	}
	return i
}

// customer is the handle of whom the path names, in any writing of a number.
func (x *exchange) customer() (string, error) {
	who, err := engine.ParseRecipient(x.r.PathValue("wa_id"))
	if err != nil {
		return "", kabar.Refuse(kabar.ReasonNotFound, "", "there is no such contact")
	}
	return who.Handle(), nil
}

// showIdentity: GET /v1/contacts/{wa_id}/identity.
func (a *API) showIdentity(x *exchange) error {
	handle, err := x.customer()
	if err != nil {
		return err
	}
	id, err := a.engine.Identity(x.r.Context(), x.number(), handle)
	if err != nil {
		return err
	}
	return x.reply("contacts", identityOf(id))
}

// acknowledge: PUT /v1/contacts/{wa_id}/identity takes the customer's present identity as known, so that messages go out again.
func (a *API) acknowledge(x *exchange) error {
	var body struct {
		Hash string `json:"hash"`
	}
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.Hash == "" {
		return kabar.Refuse(kabar.ReasonMissing, "hash", "is required")
	}
	handle, err := x.customer()
	if err != nil {
		return err
	}
	if err := a.engine.Acknowledge(x.r.Context(), x.number(), handle, body.Hash); err != nil {
		return err
	}
	return x.done()
}
