package networktest

import (
	"testing"
	"time"

	"kabar"
	"kabar/internal/network"
)

// Pair is a driver and the other side of its network.
type Pair struct {
	Number *kabar.Number    // the business's
	Now    func() time.Time // the driver's clock
	// Driver returns a driver for the number, as a new process makes one. At most one runs at a time.
	Driver func() network.Network
	// Customer returns a customer who is online and has never met the business.
	Customer func() Peer
	// Line takes the business's connection away, or gives it back; nil if the network has none that can be lost.
	Line func(up bool)
	// Stranger is nobody on the network; zero if everybody belongs to it.
	Stranger kabar.Customer
}

// Peer is a customer with an app that shows whatever it can read, once. What it cannot read it asks for again, by itself.
// Methods fail the test when they cannot do what they say; all are safe for concurrent use.
type Peer interface {
	Customer() kabar.Customer
	// Shown returns the messages of the business that the app has shown, in order.
	Shown() []Shown
	// Ticks returns how far the customer's messages have come, as the business says, by network id.
	Ticks() map[string]kabar.Status
	// Profile returns who the business says it is.
	Profile() kabar.Profile
	// Say sends a text and returns its network id.
	Say(text string) (ref string)
	// Show sends an image and returns its network id.
	Show(mime string, plain []byte) (ref string)
	// Ask sends a question of a flow, and Told returns how the business says that it goes on.
	Ask(q *kabar.FlowQuestion)
	Told() []*kabar.FlowStep
	// Tap tells of a link that the customer has opened.
	Tap(t *kabar.LinkTap)
	// Confirm sends a receipt.
	Confirm(s kabar.Status, refs ...string)
	// Online connects the customer, or disconnects.
	Online(on bool)
	// Forget loses what the app needs to read the business's present messages, but keeps who the customer is.
	Forget()
	// Reinstall replaces the app by a new one: the customer has a new identity, and nothing of the old app is left.
	Reinstall()
}

// Shown is a message as a customer's app shows it.
type Shown struct {
	Ref     string // the network's id
	Content kabar.Content
	ReplyTo string   // network id of the quoted message
	Target  string   // network id of the message a reaction is about
	Medium  []byte   // plain bytes of the medium; nil if there is none
	Cards   [][]byte // the same, of the media on cards
}

// Body returns the text of a text message, "" of any other.
func (s Shown) Body() string {
	if t, ok := s.Content.(*kabar.Text); ok {
		return t.Body
	}
	return ""
}

// Bodies returns the texts that a customer has been shown, in order.
func Bodies(p Peer) []string {
	var all []string
	for _, s := range p.Shown() {
		all = append(all, s.Body())
	}
	return all
}

// Exercise is the definition of a correct driver: whatever passes may carry the messages of a business. open is called
// once for each subtest and returns a driver and customers that nobody has used.
//
// What an ability of the driver (media, a directory, a connection to lose) promises is tested if the driver has it.
func Exercise(t *testing.T, open func(t *testing.T) Pair) {
	for _, c := range [...]struct {
		name string
		test func(*testing.T, *Desk)
	}{
		{"a message arrives once, with what it refers to", arrivesOnce},
		{"200 messages keep their order", keepsOrder},
		{"Prepare changes nothing", isPure},
		{"a packet transmitted again is shown once", transmittedAgain},
		{"a packet outlives the process that made it", outlives},
		{"a packet from outdated state is not committed", outdated},
		{"both sides talk at once", talkAtOnce},
		{"nobody on the network is refused for good", refusesStrangers},
		{"receipts, both ways", receiptsBothWays},
		{"the profile reaches the customer", profileArrives},
		{"a flow goes on as the business says", flowGoesOn},
		{"a tap on a link is heard of", tapHeard},
		{"a customer who cannot read asks again", asksAgain},
		{"a customer with a new identity", reinstalled},
		{"a new identity is met before the customer says anything", meetsIdentity},
		{"an update is acknowledged only when it is committed", acknowledgedLate},
		{"an update survives the process that could not commit it", survivesProcess},
		{"a commit whose answer was lost is not repeated", answerLost},
		{"a conflict makes the driver compute again", computesAgain},
		{"a customer's updates keep their order", updatesInOrder},
		{"a stuck customer holds up nobody else", stuckAlone},
		{"media travel both ways", mediaTravel},
		{"the directory knows who is there", directoryKnows},
		{"a lost connection comes back", comesBack},
		{"Run ends with its context and leaves nothing behind", endsClean},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, NewDesk(t, open(t))) })
	}
}
