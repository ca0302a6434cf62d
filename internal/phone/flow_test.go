package phone_test

import (
	"fmt"
	"testing"
	"time"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/phone"
)

// BenchmarkReceive sends messages to 20 customers until every one has been received, decrypted, committed and confirmed.
func BenchmarkReceive(b *testing.B) {
	const customers, each = 20, 100
	h, shop := together(b)
	var people []string
	for i := range customers {
		c, err := h.Create(b.Context(), phone.NewCustomer{Name: fmt.Sprint(i)})
		if err != nil {
			b.Fatal(err)
		}
		people = append(people, c.WaID)
		shop.text(c.WaID, "hello")
	}
	confirmed := func() (n int) {
		for _, a := range shop.all(func(a arrived) bool { return a.Receipt != nil && a.Receipt.Status == "delivered" }) {
			n += len(a.Receipt.IDs)
		}
		return n
	}
	patience.Until(b, "the first receipts", func() bool { return confirmed() == customers })
	var sent int
	for b.Loop() {
		begin := time.Now()
		done := make(chan struct{})
		for _, c := range people {
			go func() {
				for i := range each {
					shop.say(c, &kabar.Text{Body: fmt.Sprint(i)})
				}
				done <- struct{}{}
			}()
		}
		for range people {
			<-done
		}
		sent += customers * each
		patience.Until(b, "every receipt", func() bool { return confirmed() == customers+sent })
		b.ReportMetric(customers*each/time.Since(begin).Seconds(), "messages/s")
	}
}
