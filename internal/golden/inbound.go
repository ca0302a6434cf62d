package golden

import (
	"encoding/json"
	"strings"

	"kabar"
)

// Ana is the customer whom files mean when they name none.
const (
	Ana     = "34600111222"
	AnaName = "Ana R"
)

// Inbound is a section "inbound": a message of a customer. Ids are the public ones.
type Inbound struct {
	WaID, BSUID, Name   string // default: Ana
	Kind                kabar.Kind
	Content             json.RawMessage // as it is stored
	Bytes               string          // sample: of the medium
	Broken              bool            // the network gives other bytes
	ReplyTo, Target     string          // public id, or any text: an id of the network
	Unheard             bool            // the number blocks the customer: nothing comes of it
	Forwarded, Frequent bool
	Referral            *kabar.Referral
	Picture             string // sample: of the referral
	Product             *kabar.ProductRef
	Was                 string // wa_id of earlier
	Identity            string // hash
}

// ParseInbound reads the section.
func ParseInbound(text string) (*Inbound, error) {
	var in Inbound
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, err
	}
	if in.WaID == "" && in.BSUID == "" {
		in.WaID, in.Name = Ana, AnaName
	}
	return &in, nil
}

// Customer is who wrote it.
func (in *Inbound) Customer() kabar.Customer {
	return kabar.Customer{WaID: in.WaID, BSUID: in.BSUID, Name: in.Name}
}
