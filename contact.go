package kabar

import "time"

// ContactStatus says what is known of somebody a business has asked about.
type ContactStatus string

// The statuses of contacts.
const (
	ContactValid      ContactStatus = "valid"      // on the network
	ContactInvalid    ContactStatus = "invalid"    // not on the network, or no phone number at all
	ContactProcessing ContactStatus = "processing" // an event will tell
	ContactFailed     ContactStatus = "failed"     // the network did not say
)

// Contact is the answer about somebody a business has asked about.
type Contact struct {
	Input  string        `json:"input"` // as it was asked
	Status ContactStatus `json:"status"`
	Handle string        `json:"handle,omitempty"` // of one who is valid: wa_id or BSUID
}

// Identity is whose keys a customer's messages are encrypted for. A customer who installs the app anew has another one.
type Identity struct {
	Hash         string    `json:"hash"`
	Since        time.Time `json:"since,omitzero"` // when it was first seen; zero for one that is older than this record
	Acknowledged bool      `json:"acknowledged"`
}
