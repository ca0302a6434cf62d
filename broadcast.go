package kabar

import (
	"slices"
	"strings"
	"time"
)

// BroadcastID is the key of a broadcast.
type BroadcastID int64

// Limits of broadcasts.
const (
	MaxBroadcast      = 100_000 // recipients of one
	MaxBroadcastPace  = 1000    // messages a second that one may ask for
	MaxBroadcastAhead = 366 * 24 * time.Hour
)

// BroadcastState says how a broadcast stands.
type BroadcastState string

// The states of broadcasts.
const (
	BroadcastLoading   BroadcastState = "loading"   // its recipients are being stored, or removed: it is not seen
	BroadcastScheduled BroadcastState = "scheduled" // it waits for its time
	BroadcastRunning   BroadcastState = "running"
	BroadcastPaused    BroadcastState = "paused" // by somebody, or by itself: Broadcast.Why
	BroadcastCancelled BroadcastState = "cancelled"
	BroadcastDone      BroadcastState = "done" // each recipient has had their turn; what becomes of the messages goes on
)

// ReasonBroadcastState refuses what cannot be done to a broadcast in its state.
const ReasonBroadcastState Reason = "the broadcast's state does not allow it"

// Broadcast is one template to many customers: to each exactly one message.
type Broadcast struct {
	ID         BroadcastID
	Account    AccountID
	Number     NumberID
	State      BroadcastState
	Template   string // name
	Language   string
	Map        map[string]string // column of the table by Place
	PerSecond  int               // messages a second at most; 0: as many as the number may
	Recipients int
	By         string // who made it
	Why        string // why it is paused, when nobody asked for it
	Created    time.Time
	StartAt    time.Time
	Ended      time.Time // when it was done, or cancelled; zero: it is neither
}

// BroadcastRecipient is a recipient of a broadcast, by its place in the list: that pair is the key under which the customer gets one
// message. Values are as they were when the broadcast was made.
type BroadcastRecipient struct {
	Broadcast BroadcastID
	Row       int               // from 1, in the order of the list
	Handle    string            // of the customer
	Values    map[string]string // by Place
	Message   MessageID         // 0: there is none
	Failure   Reason            // why there is none; empty: it is the recipient's turn yet
}

// Waits reports whether it is the recipient's turn yet.
func (r *BroadcastRecipient) Waits() bool { return r.Message == 0 && r.Failure == "" }

// BroadcastAction is what somebody does to a broadcast.
type BroadcastAction string

// The actions.
const (
	BroadcastPause  BroadcastAction = "pause"
	BroadcastResume BroadcastAction = "resume"
	BroadcastCancel BroadcastAction = "cancel"
	BroadcastRetry  BroadcastAction = "retry_failed" // whose message has failed, or could not be sent, has another turn
)

// from says in which states an action is possible. Each may be repeated: what is so already is no fault.
func (a BroadcastAction) from() []BroadcastState {
	switch a {
	case BroadcastPause:
		return []BroadcastState{BroadcastScheduled, BroadcastRunning, BroadcastPaused}
	case BroadcastResume:
		return []BroadcastState{BroadcastPaused, BroadcastRunning}
	case BroadcastCancel:
		return []BroadcastState{BroadcastScheduled, BroadcastRunning, BroadcastPaused, BroadcastCancelled}
	case BroadcastRetry:
		return []BroadcastState{BroadcastRunning, BroadcastPaused, BroadcastDone}
	}
	return nil
}

// Act executes an action at now, or refuses it with ReasonBroadcastState. A broadcast that is resumed before its time waits for it, and
// one whose failed recipients are tried again goes on unless it is paused.
func (b *Broadcast) Act(a BroadcastAction, now time.Time) error {
	possible := a.from()
	if !slices.Contains(possible, b.State) {
		words := make([]string, len(possible))
		for i, s := range possible {
			words[i] = string(s)
		}
		return fault(ReasonBroadcastState, "", "the broadcast is %s; %s is for one that is %s", b.State, a, strings.Join(words, ", "))
	}
	switch a {
	case BroadcastPause:
		b.State = BroadcastPaused
	case BroadcastResume:
		b.State, b.Why = BroadcastRunning, ""
		if now.Before(b.StartAt) {
			b.State = BroadcastScheduled
		}
	case BroadcastCancel:
		if b.State != BroadcastCancelled {
			b.State, b.Ended = BroadcastCancelled, now
		}
	case BroadcastRetry:
		if b.State == BroadcastDone {
			b.State, b.Ended = BroadcastRunning, time.Time{}
		}
	}
	return nil
}
