package relayserver

import (
	"fmt"
	"time"

	"kabar/internal/relayproto"
)

// refusal is an error that is the relay's answer and not a fault of it. A request that is refused has written nothing, but
// for what a refusal about a verification code says.
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

// wrongCode refuses a verification code; with none left, there is a new code after wait.
func wrongCode(left int, wait time.Duration) error {
	r := &relayproto.Refused{Code: relayproto.Refused_WRONG_CODE, Detail: "wrong verification code", AttemptsLeft: uint32(left)}
	if left == 0 {
		r.Detail, r.RetryAfterMs = "too many wrong verification codes", uint32(wait.Milliseconds())
	}
	return &refusal{r}
}

// revoked refuses an account that the operator has taken away. Nobody should ask again soon.
func revoked(detail string) error {
	return later(relayproto.Refused_REVOKED, revokedRetry, detail)
}

const revokedRetry = 5 * time.Minute
