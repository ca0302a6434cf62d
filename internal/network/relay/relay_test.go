package relay_test

import (
	"testing"

	"kabar/internal/network/networktest"
)

func TestTheDriverIsCorrect(t *testing.T) {
	networktest.Exercise(t, func(t *testing.T) networktest.Pair { return newRig(t).pair() })
}
