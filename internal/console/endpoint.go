package console

import (
	"context"
	"net/http"
	"slices"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
	"kabar/internal/store"
)

// Endpoints are where events go; *endpoint.Endpoints has them.
type Endpoints interface {
	List(context.Context, kabar.AccountID) ([]endpoint.Group, error)
	Get(context.Context, kabar.EndpointID) (endpoint.Group, error)
	Add(context.Context, endpoint.Wanted) (endpoint.Group, error)
	Change(context.Context, kabar.EndpointID, func(*kabar.EndpointConfig) error) (endpoint.Group, error)
	Remove(context.Context, kabar.EndpointID) error
	Rotate(context.Context, kabar.EndpointID, endpoint.NewSecret) (endpoint.Group, string, error)
	Replay(context.Context, kabar.EndpointID, endpoint.Range) (all []*store.Replay, fresh bool, err error)
	RetryFailed(context.Context, kabar.EndpointID) (endpoint.Group, error)
	Replays(context.Context, endpoint.Group) ([]*store.Replay, error)
	ChangeReplay(context.Context, *store.Replay, store.ReplayState) (*store.Replay, error)
}

// Outgoing is what sends.
type Outgoing interface {
	Health(context.Context) (func(endpoint.Group) Health, error) // how each endpoint is doing at this moment
	Try(context.Context, *kabar.Endpoint) (*Trial, error)        // sends an event that nobody has caused
}

// Health is how an endpoint is doing, for all its numbers together.
type Health struct {
	Pending int64     // events that wait
	Oldest  time.Time // when the oldest of them happened; zero: there is none
	Failing bool      // nothing has been taken for a while
	Parked  int       // customers whose events are tried apart from the others'
	Status  int       // of the last answer; 0: there was none
	Error   string    // of the last attempt; empty: it was taken
}

// Trial is what came of a test event.
type Trial struct {
	ID     string // its webhook-id
	Type   string
	Body   []byte // what was sent
	Status int    // of the answer; 0: there was none
	Error  string // why it counts as failed; empty: it was taken
	Answer []byte // its beginning, if it has failed
	Took   time.Duration
}

// Names are the public ids; *store.DB has them.
type Names interface {
	PublicEndpoint(kabar.EndpointID) string
	ParseEndpoint(string) kabar.EndpointID
	PublicReplay(int64) string
	ParseReplay(string) int64
}

// Webhooks are what the pages of endpoints and deliveries work with. All of them are required.
type Webhooks struct {
	Endpoints  Endpoints
	Deliveries Deliveries
	Outgoing   Outgoing
	Names      Names
	Numbers    func(context.Context) ([]*kabar.Number, error) // all there are
	Now        func() time.Time                               // the product's time, which kabar dev can shift
}

// narrow returns what somebody may see of an endpoint; nil: nothing. A session of one number sees that number's row alone.
func narrow(who auth.Who, g endpoint.Group) endpoint.Group {
	if who.Account != 0 && g.First().Account != who.Account {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g), func(e *kabar.Endpoint) bool { return who.Number != 0 && e.Number != who.Number })
}

// mayChange reports whether somebody may change an endpoint that is seen. One that is about more than the session's number is not the
// session's to change.
func mayChange(who auth.Who, g endpoint.Group) bool {
	return who.May(auth.ScopeWebhooks) && (who.Number == 0 || !g.First().Wide)
}

// groups are the endpoints that somebody may see, by account, oldest first.
func (c *Console) groups(ctx context.Context, who auth.Who) ([]endpoint.Group, error) {
	accounts, err := c.accountsOf(ctx, who)
	if err != nil {
		return nil, err
	}
	var all []endpoint.Group
	for _, a := range accounts {
		of, err := c.hooks.Endpoints.List(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		for _, g := range of {
			if g = narrow(who, g); len(g) > 0 {
				all = append(all, g)
			}
		}
	}
	return all, nil
}

// endpoint finds the one that the path names. One of somebody else is as unknown as one that there is not.
func (c *Console) endpoint(r *http.Request) (endpoint.Group, error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "id", "there is no such endpoint")
	id := c.hooks.Names.ParseEndpoint(r.PathValue("id"))
	if id == 0 {
		return nil, none
	}
	g, err := c.hooks.Endpoints.Get(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if g = narrow(auth.From(r), g); len(g) == 0 {
		return nil, none
	}
	return g, nil
}

// toChange finds the one that the path names for somebody who wants to change it.
func (c *Console) toChange(r *http.Request) (endpoint.Group, error) {
	g, err := c.endpoint(r)
	if err == nil && !mayChange(auth.From(r), g) {
		err = kabar.Refuse(kabar.ReasonDenied, "id", "the endpoint is about other numbers, too")
	}
	if err == nil {
		store.Note(r.Context(), func(e *store.Audit) { e.Account = g.First().Account })
	}
	return g, err
}

// posted finds the endpoint that a form is about, for somebody who may change it, and reads the form; otherwise it has answered.
func (c *Console) posted(w http.ResponseWriter, r *http.Request) (endpoint.Group, bool) {
	g, err := c.toChange(r)
	if err == nil {
		err = readForm(w, r)
	}
	if err != nil {
		c.refuse(w, r, err)
	}
	return g, err == nil
}

// endpointPath is the address of an endpoint's page.
func (c *Console) endpointPath(g endpoint.Group) string { return consolePath + c.endpointPlace(g) }

// endpointPlace is the same below consolePath.
func (c *Console) endpointPlace(g endpoint.Group) string {
	return "endpoints/" + c.hooks.Names.PublicEndpoint(g.First().Group)
}

// numbersOf are the numbers that somebody may see, of one account or of all.
func (c *Console) numbersOf(ctx context.Context, who auth.Who) ([]*kabar.Number, error) {
	all, err := c.hooks.Numbers(ctx)
	if err != nil {
		return nil, store.Refusal(err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(n *kabar.Number) bool {
		return who.Account != 0 && n.Account != who.Account || who.Number != 0 && n.ID != who.Number
	}), nil
}
