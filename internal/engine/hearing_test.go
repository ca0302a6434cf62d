package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// cloudEndpoint is the endpoint of the subscription.
func (v *env) cloudEndpoint() *kabar.Endpoint {
	v.t.Helper()
	all, err := v.db.Endpoints(v.t.Context(), v.id)
	i := slices.IndexFunc(all, func(e *kabar.Endpoint) bool { return e.Origin == kabar.FromSubscription })
	if err != nil || i < 0 {
		v.t.Fatalf("the endpoints %+v, %v: none of the subscription", all, err)
	}
	return all[i]
}

// become gives the endpoint of the subscription a state, as the dispatcher or its owner does.
func (v *env) become(to kabar.EndpointState) {
	v.t.Helper()
	e := v.cloudEndpoint()
	err := v.db.Write(v.t.Context(), nil, func(tx *store.Tx) error {
		return tx.ChangeEndpoint(e.Number, e.ID, func(c *kabar.EndpointConfig) error { c.Become(to, "it took nothing", v.now()); return nil })
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

// states are those that events have told of, with who caused them.
func (v *env) states() string {
	v.t.Helper()
	all, err := v.db.Events(v.t.Context(), v.id, 0, 100)
	if err != nil {
		v.t.Fatal(err)
	}
	var told []string
	for _, ev := range all {
		if ev.Kind == kabar.EventEndpoint {
			told = append(told, string(ev.Endpoint.State)+" by "+ev.Endpoint.By)
		}
	}
	return strings.Join(told, ", ")
}

// TestSubscribingAgainEndsASuspension: a URL that has answered the challenge takes events again; what its owner has paused stays so.
func TestSubscribingAgainEndsASuspension(t *testing.T) {
	const hook, other = "https://app.example/hook", "https://app.example/other"
	v := newEnv(t)
	ctx := store.WithRecord(t.Context(), store.NewRecord(store.Audit{At: time.Now(), Actor: "key 1", Action: "subscribe"}, false))
	n, _, err := v.db.Number(ctx, v.id)
	if err != nil {
		t.Fatal(err)
	}
	fields := []string{engine.FieldMessages}
	if err := v.e.SetCallback(ctx, hook, fields); err != nil {
		t.Fatal(err)
	}
	subscribe := func(h store.Hearing) error { return v.e.SetHearing(ctx, n.Account, h) }
	for _, c := range []struct {
		name  string
		state kabar.EndpointState
		do    func() error
		want  kabar.EndpointState
	}{
		{"the app, again", kabar.EndpointSuspended, func() error { return v.e.SetCallback(ctx, hook, fields) }, kabar.EndpointActive},
		{"the account, to another URL", kabar.EndpointSuspended, func() error { return subscribe(store.Hearing{Override: other}) }, kabar.EndpointActive},
		{"the account, again", kabar.EndpointSuspended, func() error { return subscribe(store.Hearing{Override: other}) }, kabar.EndpointActive},
		{"the app, which is not asked", kabar.EndpointSuspended, func() error { return v.e.SetCallback(ctx, hook, fields) }, kabar.EndpointSuspended},
		{"a new number", kabar.EndpointSuspended, func() error { return v.e.Redirect(ctx) }, kabar.EndpointSuspended},
		{"nobody any more", kabar.EndpointSuspended, func() error { return subscribe(store.Hearing{Deaf: true}) }, kabar.EndpointSuspended},
		{"the account, after all", kabar.EndpointSuspended, func() error { return subscribe(store.Hearing{Override: other}) }, kabar.EndpointActive},
		{"the number", kabar.EndpointSuspended, func() error { return v.e.SetOverride(ctx, v.id, other) }, kabar.EndpointActive},
		{"the number, paused", kabar.EndpointPaused, func() error { return v.e.SetOverride(ctx, v.id, other) }, kabar.EndpointPaused},
		{"the number, disabled", kabar.EndpointDisabled, func() error { return v.e.SetOverride(ctx, v.id, other) }, kabar.EndpointDisabled},
	} {
		v.become(c.state)
		told := v.states()
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if got := v.cloudEndpoint().State; got != c.want {
			t.Errorf("%s: %s becomes %s, want %s", c.name, c.state, got, c.want)
		}
		if c.want == kabar.EndpointActive {
			told = strings.TrimPrefix(told+", active by key 1", ", ")
		}
		if v.states() != told {
			t.Errorf("%s: told %s, want %s", c.name, v.states(), told)
		}
	}
}
