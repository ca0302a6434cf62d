package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// talker is a customer of number A in a random history.
type talker struct {
	waID, bsuid string
	c           *kabar.Conversation
	messages    []kabar.MessageID
	files       []string
}

// talkers are a business and its customers, whose history a seed makes.
type talkers struct {
	t        *testing.T
	s        *storetest.Env
	rng      *rand.Rand
	endpoint *kabar.Endpoint
	list     *kabar.Broadcast
	charges  int
	released []int64
	refs     int
}

func newTalkers(t *testing.T, s *storetest.Env, seed uint64) *talkers {
	h := &talkers{t: t, s: s, rng: rand.New(rand.NewPCG(seed, 1)), endpoint: &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example"}, Dialect: kabar.Cloud}}
	h.list = &kabar.Broadcast{Account: s.A.Account, Number: s.A.ID, State: kabar.BroadcastPaused, Created: s.Now}
	s.Write(t, func(tx *store.Tx) error {
		return errors.Join(tx.AddEndpoint(h.endpoint, s.Now), tx.AddBroadcast(h.list))
	})
	return h
}

func (h *talkers) meet(waID, bsuid string) *talker {
	p := &talker{waID: waID, bsuid: bsuid}
	h.s.Write(h.t, func(tx *store.Tx) (err error) {
		p.c, err = tx.CreateConversation(h.s.A, kabar.Customer{WaID: waID, BSUID: bsuid, Name: "Name of " + waID})
		if err == nil {
			p.c.IdentityHash, p.c.Customer.Former = "hash-of-"+waID, "9"+waID
			err = tx.SaveConversation(p.c)
		}
		return err
	})
	return p
}

// step has something happen between the business and a customer.
func (h *talkers) step(p *talker) {
	n, s, h9 := h.s.A, h.s, h.rng.IntN(11)
	s.Write(h.t, func(tx *store.Tx) error {
		switch h9 {
		case 0:
			return tx.SaveContact(n, p.waID, true, s.Now)
		case 1:
			return errors.Join(tx.SaveConsent(&kabar.Consent{Account: n.Account, Handle: p.waID, State: kabar.ConsentIn, At: s.Now}),
				tx.AddConsentEntry(n.Account, p.waID, &kabar.ConsentEntry{State: kabar.ConsentIn, At: s.Now, Proof: "form of " + p.waID}))
		case 2:
			_, version, err := s.DB.State(h.t.Context(), n.ID, "peer/"+p.waID)
			return errors.Join(err, tx.SetState(n, "peer/"+p.waID, version, []byte("session with "+p.waID)))
		case 3:
			h.refs++
			return tx.SaveAnswer(n, "/v1/messages", fmt.Sprint("once-", h.endpoint.ID, "-", h.refs), &store.Answer{Status: 201, Body: []byte(p.waID), At: s.Now, Conversation: p.c.ID})
		case 4:
			return tx.AddEvent(&kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventContacts, At: s.Now, Contacts: []kabar.Contact{
				{Input: "+" + p.waID, Handle: p.waID, Status: kabar.ContactValid}, {Input: "+49151", Handle: "49151", Status: kabar.ContactValid}}})
		case 5:
			return h.job(tx, p, tx.AddLoneJob, "fetch")
		case 9:
			return tx.AddReach(n, p.waID, s.Now)
		case 10:
			h.list.Recipients++
			return tx.AddRecipient(h.list, &kabar.BroadcastRecipient{Row: h.list.Recipients, Handle: p.waID, Values: map[string]string{"body.1": "name of " + p.waID}})
		}
		return h.say(tx, p, h9%2 == 0)
	})
}

func (h *talkers) job(tx *store.Tx, p *talker, add func(*store.Job) error, kind store.JobKind) error {
	return add(&store.Job{Account: h.s.A.Account, Number: h.s.A.ID, Conversation: p.c.ID, Kind: kind, Message: p.c.LastMessage, Body: []byte("packet " + p.waID)})
}

// say adds a message with all that comes with one: a medium, an event, an endpoint that has not taken it, a job, a charge.
func (h *talkers) say(tx *store.Tx, p *talker, out bool) error {
	n, s := h.s.A, h.s
	medium := &store.Medium{Account: n.Account, Number: n.ID, MIME: "image/png", SHA256: fmt.Sprint("sum-", h.rng.IntN(4)), File: fmt.Sprint("file-", h.rng.Int64()), Key: secrets.NewKey(),
		Filename: p.waID + ".png", Created: s.Now, Conversation: p.c.ID}
	if err := tx.AddMedium(medium); err != nil {
		return err
	}
	p.files = append(p.files, medium.File)
	picture := kabar.NewMedia(kabar.KindImage)
	picture.ID, picture.Caption = medium.ID, "for "+p.waID
	m := &kabar.Message{Direction: kabar.Inbound, Status: kabar.Received, At: s.Now, Content: picture}
	h.refs++
	if m.Wire = fmt.Sprint("wire-", h.endpoint.ID, "-", h.refs); out {
		m.Direction, m.Status, m.Wire, m.Expires = kabar.Outbound, kabar.Sent, "", s.Now.Add(time.Hour)
		if h.rng.IntN(2) == 0 {
			m.Status = kabar.Accepted
		}
		id, err := tx.NewKey()
		if err != nil {
			return err
		}
		m.Charge = id
		h.charges++
	}
	if err := tx.AppendMessage(p.c, m); err != nil {
		return err
	}
	p.messages = append(p.messages, m.ID)
	if m.Wire != "" {
		if err := tx.AddRef(n, m.Wire, m.ID, s.Now); err != nil {
			return err
		}
	}
	if m.Charge != 0 {
		if err := tx.AddLedger(&kabar.LedgerEntry{ID: m.Charge, Account: n.Account, Number: n.ID, At: s.Now, Kind: kabar.LedgerReserve, Amount: 1, Currency: "USD", Message: m.ID}); err != nil {
			return err
		}
	}
	ev := &kabar.Event{Account: n.Account, Number: n.ID, Conversation: p.c.ID, Kind: kabar.EventMessage, At: s.Now, Customer: p.c.Customer, Message: m.ID, Ref: m.Ref}
	if err := tx.AddEvent(ev); err != nil {
		return err
	}
	d := &store.Delivery{Endpoint: h.endpoint.ID, Seq: ev.Seq, Account: n.Account, Number: n.ID, Conversation: p.c.ID, State: store.Retrying, Body: []byte("hook of " + p.waID)}
	failed := &store.Attempt{N: 1, At: s.Now, AttemptAnswer: store.AttemptAnswer{Body: []byte("no " + p.waID)}}
	if err := errors.Join(tx.SaveDelivery(d), tx.LogAttempt(d, failed)); err != nil {
		return err
	}
	if m.Status != kabar.Accepted {
		return nil
	}
	return h.job(tx, p, tx.AddJob, "send")
}

// of says by which rows a customer is known in each table; others are not the customer's.
func (h *talkers) of(p *talker) map[string]string {
	talk, id := fmt.Sprintf("conversation_id = %d", p.c.ID), make([]string, len(p.messages)+1)
	id[0] = "-1"
	for i, m := range p.messages {
		id[i+1] = fmt.Sprint(m)
	}
	handle := fmt.Sprintf("handle IN ('%s', '%s')", p.waID, p.bsuid)
	return map[string]string{"conversation": fmt.Sprintf("id = %d", p.c.ID), "latest": talk, "message": talk, "job": talk, "event": talk, "delivery": talk, "attempt": talk, "media": talk,
		"idempotency": talk, "handle": talk, "contact": handle, "consent": handle, "consent_entry": handle, "broadcast_recipient": handle, "driver_state": "name LIKE '%" + p.waID + "%'",
		"inbound_ref": "message_id IN (" + strings.Join(id, ", ") + ")"}
}

// others returns the rows that are not the customer's, table by table, and mine how many are.
func (h *talkers) others(p *talker) (others map[string][][]string, mine int) {
	others, of := map[string][][]string{}, h.of(p)
	for _, c := range h.s.Columns(h.t) {
		switch c.Table {
		case "audit", "meta", "counter", "erasure", "ledger", "media_file", "reached", "schema_version": // they have tests below, or grow
			continue
		}
		if _, seen := others[c.Table]; seen {
			continue
		}
		where := of[c.Table]
		if where == "" {
			where = "1 = 0"
		}
		mine += len(h.s.Query(h.t, "SELECT 1 FROM "+c.Table+" WHERE "+where))
		rows := h.s.Query(h.t, "SELECT * FROM "+c.Table+" WHERE NOT ("+where+")")
		slices.SortFunc(rows, slices.Compare)
		others[c.Table] = rows
	}
	return others, mine
}

func (h *talkers) hooks() store.EraseHooks {
	return store.EraseHooks{Release: func(_ *store.Tx, m *kabar.Message) error { h.released = append(h.released, m.Charge); return nil }, Discard: func(string) {}}
}

func peerEntry(handle string) []string { return []string{"peer/" + handle} }

func (h *talkers) begin(waID string) *store.Erasure {
	h.t.Helper()
	p, err := h.s.DB.FindPerson(h.t.Context(), h.s.A.Account, waID)
	if err != nil {
		h.t.Fatal(err)
	}
	e, err := h.s.DB.BeginErasure(h.t.Context(), p, nil, peerEntry, h.s.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}
