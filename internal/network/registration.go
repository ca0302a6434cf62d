package network

import (
	"context"
	"time"
)

// Registration says how far a number has come in being admitted to its network.
type Registration string

// The states of a registration.
const (
	RegistrationUnknown   Registration = "unknown"    // the network has not answered since the driver began
	RegistrationUnproved  Registration = "unverified" // the network waits for the code that it has given to a human: see Registrar.Verify
	RegistrationRefused   Registration = "refused"    // the network does not admit the number, or does so no more; the detail says why
	RegistrationConfirmed Registration = "registered" // at the last connection the network knew the number
)

// Registrar is a network that numbers register with, perhaps by a verification code that a human has to bring. A driver that
// is refused or waits for its code goes on trying by itself, at intervals of half a minute or so.
type Registrar interface {
	// Registration returns the state, and for people what is to be known or done about it; the detail may be empty.
	Registration() (state Registration, detail string)
	// Register asks the network at once, and waits for its answer: nil, and Registration has it. A *WrongCode says that there
	// is no code for a while, because too many wrong ones were brought; any other error that the network did not answer.
	Register(ctx context.Context) error
	// Verify registers with a code at once and waits for the outcome. nil means that the number is registered, be it since
	// before. Any other answer of the network is the error; it says how many attempts a wrong code has left, and the code
	// is forgotten. Verify is for a number that is unverified: in any other state it tries nothing, and the error says why
	// there is nothing to verify. The network's answers are *WrongCode and *NotAdmitted.
	Verify(ctx context.Context, code string) error
}

// WrongCode refuses a verification code.
type WrongCode struct {
	Left  int           // attempts until the code is void
	After time.Duration // with none left: when there can be a new code
	Why   string        // for people
}

func (e *WrongCode) Error() string { return e.Why }

// NotAdmitted says for people why the network does not admit the number.
type NotAdmitted struct{ Why string }

func (e *NotAdmitted) Error() string { return e.Why }
