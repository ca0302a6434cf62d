package kabar

import "time"

// Repeats reports whether e says what is recorded already, in history, about a customer whose state is known. An entry that does not say
// when the customer said so repeats one that holds still; otherwise the moment has to be the same, to the second, as lists have it.
func (e *ConsentEntry) Repeats(timed bool, known ConsentState, history []ConsentEntry) bool {
	for _, old := range history {
		same := old.State == e.State && old.For == e.For && old.How == e.How && old.Proof == e.Proof
		if same && (timed && old.At.Truncate(time.Second).Equal(e.At.Truncate(time.Second)) || !timed && known == e.State) {
			return true
		}
	}
	return false
}
