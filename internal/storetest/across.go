package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/store"
)

// probes bounds how many keys of a table Across asks for.
const probes = 100

// errUndo ends the operation in which Across asks: whatever it has changed is taken back.
var errUndo = errors.New("storetest: only asked")

// Across takes the keys that the database holds under one number and asks the store for them under the other. The answer
// must be "not found": nothing is read, found, listed or changed across accounts. The database itself says which keys
// there are, so a test need not announce what it makes.
func (s *Env) Across(tb testing.TB) {
	tb.Helper()
	for _, pair := range [][2]*kabar.Number{{s.A, s.B}, {s.B, s.A}} {
		a := &asker{ctx: tb.Context(), tb: tb, owner: pair[0], other: pair[1].ID, keys: map[string][]string{}}
		a.collect(s)
		a.pool(s)
		a.logs(s.DB)
		a.readers(s.DB)
		a.replays(s.DB)
		err := s.DB.Write(tb.Context(), nil, func(tx *store.Tx) error { a.inside(tx, s); return errUndo })
		if !errors.Is(err, errUndo) {
			tb.Errorf("ask across accounts: %v", err)
		}
	}
}

// asker asks on behalf of the number other for what belongs to the number owner.
type asker struct {
	ctx   context.Context
	tb    testing.TB
	owner *kabar.Number
	other kabar.NumberID
	keys  map[string][]string // by table: the owner's keys that other has not given to something of its own
}

func (a *asker) collect(s *Env) {
	a.tb.Helper()
	queries := map[string]string{} // by table
	for table, key := range map[string]string{"conversation": "id", "message": "id", "job": "id", "media": "id", "endpoint": "id", "api_user": "id",
		"event": "seq", "handle": "handle", "driver_state": "name", "upload": "sha256", "media_file": "sha256", "media_provider": "name", "inbound_ref": "ref", "idempotency": "path || ' ' || key"} {
		queries[table] = fmt.Sprintf(`SELECT %[2]s FROM %[1]s WHERE number_id = $1 AND %[2]s NOT IN (SELECT %[2]s FROM %[1]s WHERE number_id = $2)
			LIMIT %[3]d`, table, key, probes)
	}
	s.raw(a.tb, func(db *sql.DB) error {
		for table, text := range queries {
			rows, err := query(a.tb, db, text, int64(a.owner.ID), int64(a.other))
			if err != nil {
				return err
			}
			for _, r := range rows {
				a.keys[table] = append(a.keys[table], r[0])
			}
		}
		return nil
	})
}

func (a *asker) ids(table string) (ids []int64) {
	for _, k := range a.keys[table] {
		id, err := strconv.ParseInt(k, 10, 64)
		if err != nil {
			a.tb.Errorf("%s has a key %q: %v", table, k, err)
		}
		ids = append(ids, id)
	}
	return ids
}

// missing complains unless what was asked for was not found.
func (a *asker) missing(what string, key any, got any, err error) {
	a.tb.Helper()
	var none *store.NotFoundError
	if found := reflect.ValueOf(got); errors.As(err, &none) && (!found.IsValid() || found.IsZero()) {
		return
	}
	a.tb.Errorf("%s %v of number %d, asked for under number %d: %+v, %v; want not found", what, key, a.owner.ID, a.other, got, err)
}

// nothing complains if something was found.
func (a *asker) nothing(what string, key any, found bool, err error) {
	a.tb.Helper()
	if found || err != nil {
		a.tb.Errorf("%s %v of number %d, asked for under number %d: found %v, %v; want nothing", what, key, a.owner.ID, a.other, found, err)
	}
}

// pool asks the reads that see committed rows.
func (a *asker) pool(s *Env) {
	a.tb.Helper()
	for _, id := range a.ids("conversation") {
		c, err := s.DB.Conversation(a.ctx, a.other, kabar.ConversationID(id))
		a.missing("conversation", id, c, err)
		h, err := s.DB.History(a.ctx, a.other, kabar.ConversationID(id), 0, 1)
		a.missing("history of conversation", id, h, err)
		jobs, err := s.DB.Lane(a.ctx, a.other, kabar.ConversationID(id), probes)
		a.nothing("jobs of conversation", id, len(jobs) > 0, err)
	}
	for _, handle := range a.keys["handle"] {
		c, err := s.DB.FindConversation(a.ctx, a.other, handle)
		a.missing("customer", handle, c, err)
	}
	for _, id := range a.ids("message") {
		m, err := s.DB.Message(a.ctx, a.other, kabar.MessageID(id))
		a.missing("message", id, m, err)
	}
	for _, id := range a.ids("job") {
		j, err := s.DB.Job(a.ctx, a.other, id)
		a.missing("job", id, j, err)
	}
	for _, id := range a.ids("media") {
		m, err := s.DB.Medium(a.ctx, a.other, kabar.MediaID(id))
		a.missing("medium", id, m, err)
	}
	for _, name := range a.keys["driver_state"] {
		v, version, err := s.DB.State(a.ctx, a.other, name)
		a.nothing("driver entry", name, v != nil || version != 0, err)
	}
	for _, sum := range a.keys["upload"] {
		u, err := s.DB.Upload(a.ctx, a.other, sum, s.Now.AddDate(-1, 0, 0))
		a.missing("upload", sum, u, err)
	}
	for _, sum := range a.keys["media_file"] {
		file, _, err := s.DB.SharedFile(a.ctx, a.other, sum)
		a.missing("media file", sum, file, err)
	}
	for _, name := range a.keys["media_provider"] {
		p, err := s.DB.Provider(a.ctx, a.other, name)
		a.missing("media provider", name, p, err)
	}
}

// logs asks for what is read as a list.
func (a *asker) logs(db *store.DB) {
	a.tb.Helper()
	for _, seq := range a.ids("event") {
		e, err := db.Event(a.ctx, a.other, seq)
		a.missing("event", seq, e, err)
	}
	events, err := db.Events(a.ctx, a.other, 0, probes)
	a.nothing("log", "", false, err)
	for _, e := range events {
		a.nothing("event", e.Seq, e.Number != a.other || e.Account == a.owner.Account, nil)
	}
	endpoints, err := db.Endpoints(a.ctx, a.other)
	a.nothing("list of endpoints", "", false, err)
	for _, e := range endpoints {
		a.nothing("endpoint", e.ID, e.Number != a.other || e.Account == a.owner.Account, nil)
	}
}

// readers asks for what a dispatcher remembers.
func (a *asker) readers(db *store.DB) {
	a.tb.Helper()
	for _, id := range a.ids("endpoint") {
		e := kabar.EndpointID(id)
		for _, state := range []store.DeliveryState{store.Finished, store.Retrying, store.Parked} {
			rows, err := db.Deliveries(a.ctx, a.other, e, state, 0, probes)
			a.nothing("deliveries of endpoint", id, len(rows) > 0, err)
		}
		heads, err := db.DeliveryHeads(a.ctx, a.other, e, 0, probes)
		a.nothing("heads of endpoint", id, len(heads) > 0, err)
		for seq := range int64(probes) {
			tries, err := db.Attempts(a.ctx, a.other, e, seq)
			a.nothing("attempts of endpoint", id, len(tries) > 0, err)
		}
		taken, err := db.Taken(a.ctx, a.other, e, 0, probes)
		a.nothing("log of endpoint", id, len(taken) > 0, err)
		expired, err := db.Expired(a.ctx, a.other, e, store.SpanAfter(0), probes)
		a.nothing("expired events of endpoint", id, len(expired) > 0, err)
		parked, err := db.ParkedCustomers(a.ctx, a.other, e)
		a.nothing("parked customers of endpoint", id, len(parked) > 0, err)
		for _, c := range a.ids("conversation") {
			seq, err := db.NextParked(a.ctx, a.other, e, kabar.ConversationID(c), 0)
			a.nothing("parked event of endpoint", id, seq != 0, err)
		}
	}
}

// replays asks for those of another account.
func (a *asker) replays(db *store.DB) {
	a.tb.Helper()
	all, err := db.Replays(a.ctx, a.other)
	a.nothing("list of replays", "", false, err)
	for _, r := range all {
		a.nothing("replay", r.ID, r.Number != a.other || r.Account == a.owner.Account, nil)
	}
}

// inside asks the reads of an operation, and the writes that name a row by its key.
func (a *asker) inside(tx *store.Tx, s *Env) {
	a.tb.Helper()
	for _, id := range a.ids("conversation") {
		c, err := tx.Conversation(a.other, kabar.ConversationID(id))
		a.missing("conversation", id, c, err)
		theirs := kabar.Conversation{ID: kabar.ConversationID(id), Number: a.other}
		a.missing("save conversation", id, nil, tx.SaveConversation(&theirs))
		a.missing("message to conversation", id, nil, tx.AppendMessage(&theirs, &kabar.Message{Content: &kabar.Text{Body: "x"}}))
		a.missing("event of conversation", id, nil, tx.AddEvent(&kabar.Event{Number: a.other, Conversation: theirs.ID}))
		a.missing("job of conversation", id, nil, tx.AddJob(&store.Job{Number: a.other, Conversation: theirs.ID, Body: []byte("x")}))
	}
	for _, id := range a.ids("message") {
		m, err := tx.Message(a.other, kabar.MessageID(id))
		a.missing("message", id, m, err)
		theirs := &kabar.Message{ID: kabar.MessageID(id), Number: a.other, Content: &kabar.Text{Body: "x"}}
		a.missing("status of message", id, nil, tx.SetStatus(theirs))
		a.missing("content of message", id, nil, tx.SetContent(theirs))
	}
	for _, id := range a.ids("job") {
		j, err := tx.Job(a.other, id)
		a.missing("job", id, j, err)
		a.missing("save job", id, nil, tx.SaveJob(&store.Job{ID: id, Number: a.other}))
		a.missing("remove job", id, nil, tx.RemoveJob(a.other, id))
	}
	for _, id := range a.ids("media") {
		file, err := tx.RemoveMedium(a.other, kabar.MediaID(id))
		a.missing("remove medium", id, file, err)
		a.missing("use medium", id, nil, tx.UseMedium(a.other, kabar.MediaID(id), s.Now))
	}
	for _, id := range a.ids("endpoint") {
		a.missing("URL of endpoint", id, nil, tx.SetURL(a.other, kabar.EndpointID(id), "https://x.example/"))
		a.missing("mark of endpoint", id, nil, tx.Advance(a.other, kabar.EndpointID(id), 1))
		a.missing("end of endpoint", id, nil, tx.RemoveEndpoint(a.other, kabar.EndpointID(id)))
		a.missing("failures of endpoint", id, nil, tx.SetFailing(a.other, kabar.EndpointID(id), s.Now))
		a.missing("replay of endpoint", id, nil, tx.AddReplay(&store.Replay{Number: a.other, Endpoint: kabar.EndpointID(id)}, s.Now))
		a.missing("save delivery of endpoint", id, nil, tx.SaveDelivery(&store.Delivery{Number: a.other, Endpoint: kabar.EndpointID(id), Seq: 1}))
		a.missing("remove delivery of endpoint", id, nil, tx.RemoveDelivery(a.other, kabar.EndpointID(id), 1))
	}
	for _, id := range a.ids("replay") {
		a.missing("replay", id, nil, tx.ChangeReplay(a.other, kabar.EndpointID(id), func(*store.Replay) {}))
		a.missing("mark of replay", id, nil, tx.Advance(a.other, kabar.EndpointID(id), 1))
	}
	a.users(tx)
	a.names(tx, s)
}

// users asks an operation for the users of the owner, and for their sessions.
func (a *asker) users(tx *store.Tx) {
	a.tb.Helper()
	for _, id := range a.ids("api_user") {
		u, err := tx.User(a.other, id)
		a.missing("user", id, u, err)
		a.missing("password of user", id, nil, tx.SetPassword(a.other, id, "hash", false))
		n, err := tx.RemoveLogins(a.other, id)
		a.nothing("sessions of user", id, n > 0, err)
	}
}

// names asks an operation for what a number has under a name.
func (a *asker) names(tx *store.Tx, s *Env) {
	a.tb.Helper()
	for _, name := range a.keys["media_provider"] {
		a.missing("remove media provider", name, nil, tx.RemoveProvider(a.other, name))
	}
	for _, handle := range a.keys["handle"] {
		c, err := tx.FindConversation(a.other, handle)
		a.nothing("customer", handle, c != nil, err)
	}
	for _, ref := range a.keys["inbound_ref"] {
		_, ok, err := tx.Ref(a.other, ref)
		a.nothing("network id", ref, ok, err)
	}
	for _, k := range a.keys["idempotency"] {
		path, key, _ := strings.Cut(k, " ")
		answer, err := tx.Answer(a.other, path, key, s.Now)
		a.nothing("answer", k, answer != nil, err)
	}
}
