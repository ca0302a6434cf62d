package phone_test

import (
	"database/sql"
	"io"
	"net/http"
	"testing"
)

// BenchmarkListMessages lists 100,000 messages.
func BenchmarkListMessages(b *testing.B) {
	h := alone(b)
	ana := h.customer("Ana")
	h.store(func(db *sql.DB) {
		_, err := db.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
			INSERT INTO messages (customer, business, wire, mine, at, kind, content, reply_to, target, forwarded, referral, status)
			SELECT 1, '6281100000001', printf('%032x', i), 1, 1700000000000 + i, 'text', '{"body":"hello"}', '', '', 0, '', 3 FROM n`)
		if err != nil {
			b.Fatal(err)
		}
	})
	for b.Loop() {
		resp, err := http.Get(h.api.URL + "/api/customers/" + ana + "/messages?limit=100000")
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err != nil || n < 100000*100 {
			b.Fatalf("%d bytes, %v", n, err)
		}
	}
}
