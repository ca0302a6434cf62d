package deliveries

import (
	"encoding/base64"
	"fmt"

	"kabar"
)

// Order says which deliveries come first.
type Order string

// The orders. One is the other backwards: the numbers, the events of each, and the endpoints of an event.
const (
	Oldest Order = "oldest"
	Newest Order = "newest"
)

// spot is where a page ends: in the oldest order the seq up to which a number's log has been listed, in the newest that up to which it has not.
// Of the event right behind that some endpoints may have been listed.
type spot struct {
	order    Order
	number   kabar.NumberID // 0: nothing has been listed
	seq      int64
	endpoint kabar.EndpointID // the last that was listed of that event; 0: none
}

// mark is what the tokens of an order begin with: a token is of one order.
func (o Order) mark() int {
	if o == Newest {
		return 2
	}
	return 1
}

// String returns a token that parseSpot reads.
func (s spot) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d.%d.%d", s.order.mark(), s.number, s.seq, s.endpoint))
}

// parseSpot reads a token of an order. That of the other is refused: it would list again what was listed, and nothing else.
func parseSpot(token string, in Order) (spot, error) {
	s := spot{order: in}
	if token == "" {
		return s, nil
	}
	var mark int
	plain, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(plain), "%d.%d.%d.%d", &mark, &s.number, &s.seq, &s.endpoint)
	}
	if s.order = Oldest; mark == Newest.mark() {
		s.order = Newest
	}
	switch {
	case err != nil || s.String() != token:
		return s, kabar.Refuse(kabar.ReasonInvalid, "after", "is not what a page has as its \"next\"")
	case s.order != in:
		return s, kabar.Refuse(kabar.ReasonInvalid, "after", "is the \"next\" of a page with order=%s, and this one is asked for with order=%s", s.order, in)
	}
	return s, nil
}
