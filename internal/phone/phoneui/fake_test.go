package phoneui

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"kabar"
	"kabar/internal/phone"
)

const business1 = "34900123456"

// fake is a phone in memory: the Source of the page and the control API that its script calls.
type fake struct {
	mu        sync.Mutex
	customers []phone.Customer
	threads   map[string][]phone.Message
	profile   kabar.Profile
	media     map[string][]byte
	seq       int64
	watchers  map[chan phone.Change]bool
	calls     []string // method, path and body of every call of the API
	bodies    []string // of answers: address and body
	now       time.Time
}

func newFake() *fake {
	return &fake{
		threads: make(map[string][]phone.Message), media: make(map[string][]byte),
		watchers: make(map[chan phone.Change]bool), now: time.Date(2026, 11, 23, 9, 30, 0, 0, time.Local),
	}
}

func (f *fake) Customers(context.Context) ([]phone.Customer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.customers), nil
}

func (f *fake) Businesses(context.Context, string) ([]string, error) { return []string{business1}, nil }

func (f *fake) BusinessProfile(context.Context, string, string) (kabar.Profile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.profile, nil
}

func (f *fake) Thread(_ context.Context, handle, _ string, after int64, limit int) ([]phone.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.threads[handle]
	if after < 0 {
		all = all[max(0, len(all)-limit):]
	}
	var out []phone.Message
	for _, m := range all {
		if m.Seq > after && len(out) < limit {
			m.Reactions = slices.Clone(m.Reactions)
			out = append(out, m)
		}
	}
	return out, nil
}

func (f *fake) Find(_ context.Context, handle, id string) (phone.Message, error) {
	m, ok := f.message(handle, func(m phone.Message) bool { return m.ID == id })
	if !ok {
		return m, fmt.Errorf("no message %q", id)
	}
	return m, nil
}

func (f *fake) Watch(ctx context.Context) <-chan phone.Change {
	ch := make(chan phone.Change, room+1)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers[ch] = true
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watchers, ch)
		close(ch)
	})
	return ch
}

const room = 64 // changes that wait for a slow watcher

// tell reports a change; what a watcher has no room for is covered by the zero Change, as the phone does it.
func (f *fake) tell(c phone.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		switch len(w) {
		case room + 1:
		case room:
			w <- phone.Change{}
		default:
			w <- c
		}
	}
}

// customer adds a handset.
func (f *fake) customer(handle, name string) {
	f.mu.Lock()
	f.customers = append(f.customers, phone.Customer{WaID: handle, Name: name, Online: true, ReadReceipts: true})
	f.mu.Unlock()
	f.tell(phone.Change{})
}

// add appends a message to a handset and returns its id. Each is a minute younger than the one before.
func (f *fake) add(handle string, m phone.Message) string {
	f.mu.Lock()
	f.seq++
	m.Seq, m.At = f.seq, f.now.Add(time.Duration(f.seq)*time.Minute)
	if m.ID == "" {
		m.ID = fmt.Sprintf("gBGG%04d/=", f.seq)
	}
	m.Kind = m.Content.Kind()
	if m.Mine && m.Status == kabar.Received {
		m.Status = kabar.Accepted
	}
	f.threads[handle] = append(f.threads[handle], m)
	f.mu.Unlock()
	f.tell(phone.Change{Customer: handle, Message: m.ID})
	return m.ID
}

// edit changes a message.
func (f *fake) edit(handle, id string, change func(*phone.Message)) bool {
	f.mu.Lock()
	i := slices.IndexFunc(f.threads[handle], func(m phone.Message) bool { return m.ID == id })
	if i >= 0 {
		change(&f.threads[handle][i])
	}
	f.mu.Unlock()
	f.tell(phone.Change{Customer: handle, Message: id})
	return i >= 0
}

func (f *fake) message(handle string, match func(phone.Message) bool) (phone.Message, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.threads[handle], match)
	if i < 0 {
		return phone.Message{}, false
	}
	return f.threads[handle][i], true
}

func (f *fake) called(line string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.calls, line)
}

// api is the control API, as far as the page calls it.
func (f *fake) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/customers", func(w http.ResponseWriter, r *http.Request) {
		in := decode[struct{ Name, Wa_id string }](r)
		handle := in.Wa_id
		if handle == "" {
			handle = "34600000999"
		}
		f.customer(handle, in.Name)
		answer(w, 201, map[string]string{"wa_id": handle})
	})
	mux.HandleFunc("PATCH /api/customers/{c}", f.patch)
	mux.HandleFunc("POST /api/customers/{c}/messages", f.post)
	mux.HandleFunc("POST /api/customers/{c}/messages/{m}/read", func(w http.ResponseWriter, r *http.Request) {
		f.edit(r.PathValue("c"), r.PathValue("m"), func(m *phone.Message) { m.Status = kabar.Read })
		answer(w, 200, struct{}{})
	})
	mux.HandleFunc("POST /api/customers/{c}/messages/{m}/tap", f.tap)
	mux.HandleFunc("POST /api/customers/{c}/messages/{m}/react", func(w http.ResponseWriter, r *http.Request) {
		in := decode[struct{ Emoji string }](r)
		f.edit(r.PathValue("c"), r.PathValue("m"), func(m *phone.Message) {
			m.Reactions = slices.DeleteFunc(m.Reactions, func(r phone.Reaction) bool { return r.Mine })
			if in.Emoji != "" {
				m.Reactions = append(m.Reactions, phone.Reaction{Mine: true, Emoji: in.Emoji})
			}
		})
		answer(w, 200, struct{}{})
	})
	mux.HandleFunc("DELETE /api/customers/{c}/messages/{m}", func(w http.ResponseWriter, r *http.Request) {
		f.edit(r.PathValue("c"), r.PathValue("m"), func(m *phone.Message) { m.Deleted = true })
		answer(w, 200, struct{}{})
	})
	mux.HandleFunc("POST /api/customers/{c}/media", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		defer f.mu.Unlock()
		id := strconv.Itoa(len(f.media) + 1)
		f.media[id] = body
		answer(w, 201, map[string]string{"id": id})
	})
	mux.HandleFunc("GET /api/customers/{c}/media/{m}", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		_, _ = w.Write(f.media[r.PathValue("m")])
	})
	for _, verb := range []string{"typing", "report", "reinstall"} {
		mux.HandleFunc("POST /api/customers/{c}/"+verb, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, struct{}{}) })
	}
	f.answers(mux)
	return f.record(mux)
}

// record notes the calls of the API.
func (f *fake) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			f.mu.Lock()
			f.calls = append(f.calls, r.Method+" "+r.URL.Path)
			f.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

func (f *fake) patch(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	i := slices.IndexFunc(f.customers, func(c phone.Customer) bool { return c.WaID == r.PathValue("c") })
	_ = json.NewDecoder(r.Body).Decode(&f.customers[i])
	f.mu.Unlock()
	f.tell(phone.Change{Customer: r.PathValue("c")})
	answer(w, 200, struct{}{})
}

func (f *fake) post(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var in map[string]json.RawMessage
	var kind kabar.Kind
	var context struct {
		ID string `json:"message_id"`
	}
	_ = json.Unmarshal(body, &in)
	_ = json.Unmarshal(in["type"], &kind)
	_ = json.Unmarshal(in["context"], &context)
	var medium struct{ ID, Filename, Caption string }
	m := phone.Message{Mine: true, Context: context.ID}
	switch kind {
	case kabar.KindContacts:
		c := &kabar.Contacts{}
		_ = json.Unmarshal(in["contacts"], &c.Cards)
		m.Content = c
	case kabar.KindImage, kabar.KindVideo, kabar.KindAudio, kabar.KindDocument, kabar.KindSticker:
		_ = json.Unmarshal(in[string(kind)], &medium)
		c := kabar.NewMedia(kind)
		c.Caption, c.Filename = medium.Caption, medium.Filename
		m.Content, m.Media = c, medium.ID
	default:
		c, err := kabar.DecodeContent(kind, in[string(kind)])
		if err != nil {
			answer(w, 400, map[string]any{"error": map[string]string{"message": err.Error()}})
			return
		}
		m.Content = c
	}
	var ad struct {
		kabar.Referral
		Image struct{ ID string }
	}
	if json.Unmarshal(in["referral"], &ad) == nil && ad.Headline != "" {
		m.Referral, m.Media = &ad.Referral, ad.Image.ID
		m.Referral.Kind = kabar.KindImage
	}
	answer(w, 201, map[string]string{"id": f.add(r.PathValue("c"), m)})
}

func (f *fake) tap(w http.ResponseWriter, r *http.Request) {
	in := decode[struct{ Button, Row, URL string }](r)
	content := &kabar.Reply{Type: kabar.ButtonReply, ID: in.Button + in.Row, Title: in.Button + in.Row}
	f.add(r.PathValue("c"), phone.Message{Mine: true, Content: content, Context: r.PathValue("m")})
	answer(w, 201, struct{}{})
}

func decode[T any](r *http.Request) (v T) {
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// serve is the page and the API on one mux, as the phone serves them.
func serve(t *testing.T, f *fake, opt Options) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/api/", f.api())
	mux.Handle("/", New(f, opt).Handler())
	return mux
}
