package relayserver

import (
	"fmt"
	"time"

	"kabar/internal/relayproto"
)

// refusal is an error that is the relay's answer and not a fault of it. A request that is refused has written nothing.
type refusal struct{ *relayproto.Refused }

func (r *refusal) Error() string { return fmt.Sprintf("refused: %s %s", r.Code, r.Detail) }

func refuse(code relayproto.Refused_Code, detail string) error {
	return &refusal{&relayproto.Refused{Code: code, Detail: detail}}
}

func reused(name string, highest uint32) error {
	return &refusal{&relayproto.Refused{Code: relayproto.Refused_PREKEY_ID_REUSED, Detail: name, HighestId: highest}}
}

// later refuses with a time after which to ask again, in milliseconds rounded up.
func later(code relayproto.Refused_Code, wait time.Duration, detail string) error {
	ms := uint32((wait + time.Millisecond - 1) / time.Millisecond)
	return &refusal{&relayproto.Refused{Code: code, Detail: detail, RetryAfterMs: max(1, ms)}}
}
