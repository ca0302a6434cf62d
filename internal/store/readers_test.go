package store_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestDeliveriesByState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		c := talk(t, s, s.A, "491")
		ends := [2]kabar.Endpoint{}
		s.Write(t, func(tx *store.Tx) error {
			for i := range ends {
				ends[i] = kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/"}, Dialect: kabar.OnPrem}
				if err := tx.AddEndpoint(&ends[i], s.Now); err != nil {
					return err
				}
				for seq := range int64(12) {
					d := &store.Delivery{Endpoint: ends[i].ID, Seq: seq + 1, Account: s.A.Account, Number: s.A.ID, Conversation: c.ID,
						State: []store.DeliveryState{store.Finished, store.Retrying, store.Parked}[seq%3]}
					if err := tx.SaveDelivery(d); err != nil {
						return err
					}
				}
			}
			return tx.RemoveDelivery(s.A.ID, ends[0].ID, 5)
		})
		for _, c := range []struct {
			end   int
			state store.DeliveryState
			after int64
			limit int
			want  []int64
		}{
			{0, store.Retrying, 0, 10, []int64{2, 8, 11}},
			{1, store.Retrying, 0, 10, []int64{2, 5, 8, 11}},
			{1, store.Parked, 3, 2, []int64{6, 9}},
			{0, store.Finished, 10, 10, nil},
		} {
			all, err := s.DB.Deliveries(t.Context(), s.A.ID, ends[c.end].ID, c.state, c.after, c.limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, d := range all {
				got = append(got, d.Seq)
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("endpoint %d, state %d, after %d, limit %d: %v, want %v", c.end, c.state, c.after, c.limit, got, c.want)
			}
		}
	})
}

// TestHeadsAndParkedCustomers compares what a dispatcher reads with a plain account of the same rows.
func TestHeadsAndParkedCustomers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		talks := []*kabar.Conversation{talk(t, s, s.A, "491"), talk(t, s, s.A, "492")}
		end := kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/"}, Dialect: kabar.Cloud}
		var wantEvents []store.EventHead
		var wantHeads []string
		s.Write(t, func(tx *store.Tx) error {
			wantEvents, wantHeads = nil, nil
			if err := tx.AddEndpoint(&end, s.Now); err != nil {
				return err
			}
			for i := range 12 {
				c, at := talks[i%2], s.Now.Add(time.Duration(i)*time.Second)
				e := &kabar.Event{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kabar.EventStatus, At: at}
				if err := tx.AddEvent(e); err != nil {
					return err
				}
				wantEvents = append(wantEvents, store.EventHead{Seq: e.Seq, Conversation: c.ID, Kind: e.Kind, At: at})
				d := store.Delivery{Endpoint: end.ID, Seq: e.Seq, Account: c.Account, Number: c.Number, Conversation: c.ID,
					State: []store.DeliveryState{store.Finished, store.Parked, store.Parked}[i%3], Attempts: i, Due: at, Batch: e.Seq - 1}
				wantHeads = append(wantHeads, fmt.Sprint(d))
				d.Body = []byte("tried")
				if err := tx.SaveDelivery(&d); err != nil {
					return err
				}
			}
			return nil
		})
		events, err := s.DB.EventHeads(t.Context(), s.A.ID, 2, 5)
		if err != nil || fmt.Sprint(events) != fmt.Sprint(wantEvents[2:7]) {
			t.Errorf("EventHeads = %v, %v; want %v", events, err, wantEvents[2:7])
		}
		for _, who := range []struct {
			after, until int64
			want         map[kabar.ConversationID]int64
		}{{0, 12, map[kabar.ConversationID]int64{talks[0].ID: 11, talks[1].ID: 12}}, {2, 5, map[kabar.ConversationID]int64{talks[0].ID: 5, talks[1].ID: 4}},
			{3, 4, map[kabar.ConversationID]int64{talks[1].ID: 4}}, {12, 99, map[kabar.ConversationID]int64{}}} {
			if all, err := s.DB.LastEvents(t.Context(), s.A.ID, who.after, who.until); err != nil || !maps.Equal(all, who.want) {
				t.Errorf("LastEvents = %v, %v; want %v", all, err, who.want)
			}
		}
		heads, err := s.DB.DeliveryHeads(t.Context(), s.A.ID, end.ID, 9, 5)
		if err != nil || len(heads) != 3 {
			t.Fatalf("DeliveryHeads = %v, %v; want three", heads, err)
		}
		for i, d := range heads {
			if fmt.Sprint(*d) != wantHeads[9+i] {
				t.Errorf("delivery %d = %+v, want %s", i, *d, wantHeads[9+i])
			}
		}
		// Of twelve, those with i%3 of 1 and 2 are parked: 1 2 4 5 7 8 10 11, so four of each customer.
		parked, err := s.DB.ParkedCustomers(t.Context(), s.A.ID, end.ID)
		want := []store.ParkedCustomer{{Conversation: talks[0].ID, Events: 4}, {Conversation: talks[1].ID, Events: 4}}
		if err != nil || fmt.Sprint(parked) != fmt.Sprint(want) {
			t.Errorf("ParkedCustomers = %v, %v; want %v", parked, err, want)
		}
		for after, want := range map[int64]int64{0: 3, 3: 5, 4: 5, 5: 9, 11: 0} { // of the first customer: i of 2, 4, 8, 10
			if seq, err := s.DB.NextParked(t.Context(), s.A.ID, end.ID, talks[0].ID, after); seq != want || err != nil {
				t.Errorf("NextParked after %d = %d, %v; want %d", after, seq, err, want)
			}
		}
	})
}
