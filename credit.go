package kabar

import "time"

// Credit is an account's line of credit. What its messages cost is reserved when they are accepted, spent when they are delivered, and
// released when they fail: at any moment limit = available + reserved + spent.
type Credit struct {
	Account  AccountID
	Currency string
	// Open says that nobody has drawn a line: what messages cost is written down, and refuses none.
	Open     bool
	Limit    Money
	Reserved Money
	Spent    Money
	Warned   int // the last of Warnings that the account was told of
}

// Warnings are the percentages of a limit at which an account is warned, once each until there is more again.
func Warnings() []int { return []int{80, 95, 100} }

// Available is what is left: negative when the limit was set below what is reserved and spent.
func (c *Credit) Available() Money { return c.Limit - c.Reserved - c.Spent }

// Covers reports whether an amount can be reserved. Nothing is always covered.
func (c *Credit) Covers(m Money) bool { return m == 0 || c.Open || m <= c.Available() }

// Overdrawn reports that nothing may leave that costs: more is reserved and spent than the limit is now.
func (c *Credit) Overdrawn() bool { return !c.Open && c.Available() < 0 }

// Warn returns the highest of Warnings that is reached and was not told yet, and notes that it is told; 0: none. What cannot be covered
// has reached the last.
func (c *Credit) Warn(refused bool) int {
	reached := c.reached()
	if refused {
		reached = 100
	}
	if reached <= c.Warned {
		return 0
	}
	c.Warned = reached
	return reached
}

func (c *Credit) reached() (percent int) {
	if c.Open {
		return 0
	}
	for _, p := range Warnings() {
		if (c.Reserved+c.Spent)*100 >= c.Limit*Money(p) {
			percent = p
		}
	}
	return percent
}

// Draw sets the limit. What the account was warned of is forgotten where it no longer holds.
func (c *Credit) Draw(limit Money) {
	c.Open, c.Limit = false, limit
	c.Warned = min(c.Warned, c.reached())
}

// CreditAlert is what an account is told of its line of credit.
type CreditAlert struct {
	Percent   int    `json:"percent"` // of the limit that is reserved or spent; 100: the next message that costs is refused, or was
	Limit     Money  `json:"limit"`
	Available Money  `json:"available"`
	Currency  string `json:"currency"`
}

// LedgerKind says what an entry of the ledger does.
type LedgerKind string

// The kinds of entries.
const (
	LedgerAllocate LedgerKind = "allocate" // the limit has changed by the amount, which may be negative
	LedgerReserve  LedgerKind = "reserve"  // a message was accepted
	LedgerSettle   LedgerKind = "settle"   // it was delivered: what was reserved is spent
	LedgerRelease  LedgerKind = "release"  // it failed: what was reserved is free again
)

// LedgerEntry is one entry of an account's ledger, which only grows. Each message has one that reserves and at most one that settles or
// releases the same amount; the three name it and the rate.
type LedgerEntry struct {
	ID       int64 // grows
	Account  AccountID
	Number   NumberID // 0: of none
	At       time.Time
	Kind     LedgerKind
	Amount   Money
	Currency string
	Message  MessageID
	Ref      uint64 // of the message: its public form
	Rate     string // Rate.ID
	Customer string // the pseudonym of whom the message went to, once that person has been erased
}
