package engine_test

import (
	"errors"
	"testing"

	"kabar"
)

// What is no picture is refused, whichever API brings it.
func TestMakePhotoRefusesWhatIsNone(t *testing.T) {
	v := newEnv(t)
	_, err := v.e.MakePhoto([]byte("words"))
	if refused, ok := errors.AsType[*kabar.Error](err); !ok || refused.Reason != kabar.ReasonInvalid || refused.Detail == "" {
		t.Errorf("%v, want a refusal that says why", err)
	}
}
