package sim

import (
	"testing"
)

// mutant is a fault that is put into the server's surroundings, or into what stands for a part of it. The model must
// notice each.
type mutant string

const (
	none                   mutant = ""
	acknowledgedEarly      mutant = "mail is acknowledged before it is committed"
	repeatIsNew            mutant = "what is delivered again looks new"
	receiptSwallowed       mutant = "receipts are acknowledged and dropped"
	arrivalIsWriting       mutant = "the window counts from when a message arrives"
	ratchetNotStored       mutant = "the ratchet is not stored with the packet"
	keyForgotten           mutant = "a request is repeated without its key"
	ttlForgotten           mutant = "the time to live is ignored"
	failureTakenForSuccess mutant = "a webhook that failed is marked as done"
	retryOvertakes         mutant = "a webhook that failed comes behind the next one"
	idChanges              mutant = "a retry has a new webhook-id"
	bodyChanges            mutant = "a retry has other bytes"
	lastCommitLost         mutant = "the last commit before a crash is lost"
)

var mutants = []mutant{acknowledgedEarly, repeatIsNew, receiptSwallowed, arrivalIsWriting, ratchetNotStored, keyForgotten,
	ttlForgotten, failureTakenForSuccess, retryOvertakes, idChanges, bodyChanges, lastCommitLost}

// chances is how many seeds may pass before a mutant is noticed.
const chances = 100

func TestTheModelNoticesEachMutant(t *testing.T) {
	s := newStage(t)
	for _, mu := range mutants {
		t.Run(string(mu), func(t *testing.T) {
			t.Parallel()
			for n := range uint64(chances) {
				if w := s.play(t, n+1, mu); len(w.model.faults) > 0 {
					t.Logf("seed %d: %s", n+1, w.model.faults[0])
					return
				}
			}
			t.Errorf("not noticed in %d seeds", chances)
		})
	}
}
