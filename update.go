package kabar

import "time"

// Update is one thing a network tells the server about a conversation. The engine commits it together with the driver's
// own state; only then does the driver acknowledge it to its peer.
type Update struct {
	From Customer  // who it comes from; Name is the profile name if the network knows it
	At   time.Time // by the customer's clock
	Ref  string    // the network's id of the update: a repeated one is dropped

	// Exactly one of the following is set; none of them for an update that only changes the driver's state.
	Message  *Incoming
	Receipt  *Receipt
	Retry    *Retry
	Expired  *Expired
	Deleted  string // network id of a message of the customer's that the customer has deleted
	Blocked  *bool  // the customer has blocked (true) or unblocked the number
	Reported bool   // the customer has reported the number as spam
	Typing   bool   // the customer is writing; never stored
	Asked    *FlowQuestion
	Tapped   *LinkTap
	Garbled  bool // a message arrived that could not be decrypted: the driver has asked for it again

	// Was is the handle that the customer had before this one: the number has changed. The engine believes it only of who has the
	// same identity.
	Was string

	NewIdentity string // hash of the customer's new identity key, when it has changed with this update
}

// Incoming is a message of a customer.
type Incoming struct {
	Content   Content
	Medium    *RemoteMedium // where the bytes of a media content are
	ReplyTo   string        // network id of the quoted message
	Target    string        // network id of the message a reaction is about
	Forwarded bool
	Frequent  bool
	Referral  *Referral
	Picture   *RemoteMedium // of the referral: its image or video
	Product   *ProductRef   // the product that the message is about
}

// RemoteMedium locates an encrypted medium on the network. Only a driver understands it.
type RemoteMedium struct {
	Locator []byte // opaque to all but the driver; contains the key: secret
	MIME    string
	Size    int64
	SHA256  string // of the plain bytes, lower-case hex
}

// Receipt says how far messages of the business have come; each status includes those before it.
type Receipt struct {
	Status Status   // Delivered, Read or Played
	Refs   []string // network ids
}

// Retry says that the customer could not decrypt messages and wants them again.
type Retry struct {
	Refs  []string // network ids
	Again []string // what the business has asked for, in something that the customer could not read: it is to be asked for again
}

// Expired says that the network has given up on messages that nobody came to fetch.
type Expired struct {
	Refs []string // network ids
}
