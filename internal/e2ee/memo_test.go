package e2ee

import (
	"bytes"
	"fmt"
	"testing"
)

// What a Memo returns behaves as what is parsed: the same messages, whoever reads them, and the rows it has forgotten too.
func TestAMemoIsParsing(t *testing.T) {
	alice, bob := pair(t, "memo")
	var memo Memo
	var rows [][]byte
	for i := range memoRows + 10 {
		row, err := memo.Marshal(alice.peer)
		alice.must(err)
		rows = append(rows, row)
		if i%2 == 0 {
			bob.expect(alice, alice.send(fmt.Sprint(i), epoch), fmt.Sprint(i), epoch)
		} else {
			alice.expect(bob, bob.send(fmt.Sprint(i), epoch), fmt.Sprint(i), epoch)
		}
	}
	known := 0
	for i, row := range rows {
		if memo.find(row) != nil {
			known++
		}
		remembered, err := memo.Unmarshal(row)
		alice.must(err)
		parsed, err := UnmarshalPeer(row)
		alice.must(err)
		a, err := remembered.MarshalBinary()
		alice.must(err)
		b, err := parsed.MarshalBinary()
		alice.must(err)
		if !bytes.Equal(a, b) || !bytes.Equal(a, row) {
			t.Fatalf("row %d is another after reading", i)
		}
	}
	if known < memoRows/2 || known > memoRows {
		t.Errorf("%d rows are remembered, want %d to %d", known, memoRows/2, memoRows)
	}
	damaged := bytes.Clone(rows[len(rows)-1])
	if _, err := memo.Unmarshal(damaged[:len(damaged)-1]); err == nil {
		t.Error("a row without its end was read")
	}
}
