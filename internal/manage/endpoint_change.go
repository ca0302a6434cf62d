package manage

import (
	"net/http"
	"time"

	"kabar"
	"kabar/internal/endpoint"
	"kabar/internal/webhook"
)

// endpointFields are what can be set of an endpoint; nil stays as it is.
type endpointFields struct {
	URL         *string            `json:"url"`
	Events      *[]string          `json:"events"`
	Kinds       *[]kabar.Kind      `json:"kinds"`
	Customers   *[]string          `json:"customers"`
	Description *string            `json:"description"`
	Headers     *map[string]string `json:"headers"`
	Certificate *string            `json:"certificate"`
	Key         *string            `json:"certificate_key"`
	CA          *string            `json:"ca"`
	Timeout     *int               `json:"timeout_seconds"`
	Concurrency *int               `json:"concurrency"`
	Batch       *int               `json:"batch"`
	Redact      *bool              `json:"redact"`
	Notify      *string            `json:"notify_url"`
}

// put takes over what is set.
func (f *endpointFields) put(c *kabar.EndpointConfig) {
	set(&c.URL, f.URL)
	set(&c.Filter.Types, f.Events)
	set(&c.Filter.Kinds, f.Kinds)
	set(&c.Filter.Customers, f.Customers)
	set(&c.Description, f.Description)
	set(&c.Headers, f.Headers)
	set(&c.Certificate, f.Certificate)
	set(&c.CertificateKey, f.Key)
	set(&c.CA, f.CA)
	set(&c.Concurrency, f.Concurrency)
	set(&c.Batch, f.Batch)
	set(&c.Redact, f.Redact)
	set(&c.Notify, f.Notify)
	if f.Timeout != nil {
		c.Timeout = time.Duration(*f.Timeout) * time.Second
	}
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// addEndpoint: POST /kabar/v1/endpoints. The answer is the only one that shows the secret.
func (a *API) addEndpoint(w http.ResponseWriter, r *http.Request) {
	var in struct {
		endpointFields
		Account string        `json:"account"`
		Number  string        `json:"number"`
		Dialect kabar.Dialect `json:"dialect"`
		Secret  string        `json:"secret"`
		Token   string        `json:"verify_token"`
	}
	if !a.read(w, r, &in, `send {"url":"https://app.example/hook","dialect":"kabar","events":["*"]}`) {
		return
	}
	if in.Dialect == "" {
		in.Dialect = kabar.Kabar
	}
	wanted := endpoint.Wanted{Dialect: in.Dialect}
	in.put(&wanted.EndpointConfig)
	wanted.Token = in.Token
	if in.Secret != "" {
		wanted.Secrets = []kabar.EndpointSecret{{Value: in.Secret}}
	}
	err := a.place(r, &wanted, in.Account, in.Number)
	var g endpoint.Group
	if err == nil {
		g, err = a.o.Endpoints.Add(r.Context(), wanted)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.tellEndpoint(w, r, http.StatusCreated, g, func(e *shownEndpoint) {
		e.Secret, e.Token = g.First().Secrets[0].Value, g.First().Token
	})
}

// place says which numbers a new endpoint reads: the one that is named, that of the key, or all of the account's.
func (a *API) place(r *http.Request, w *endpoint.Wanted, account, number string) error {
	of := a.o.Of(r)
	all, err := a.o.Numbers(r.Context())
	if err != nil {
		return err
	}
	for _, n := range all {
		if of.Has(n) && (n.ID == of.Number || number != "" && n.Digits == number) && (number == "" || n.Digits == number) {
			if account != "" && a.nodeID(int64(n.Account)) != account {
				break
			}
			w.Account, w.Number = n.Account, n.ID
			return nil
		}
	}
	if number != "" || of.Number != 0 {
		return kabar.Refuse(kabar.ReasonNotFound, "number", "there is no such number in the account: write its digits with the country code")
	}
	w.Account, err = a.oneAccount(r, account)
	return err
}

// changeEndpoint: PATCH /kabar/v1/endpoints/{id}.
func (a *API) changeEndpoint(w http.ResponseWriter, r *http.Request) {
	var in struct {
		endpointFields
		State *kabar.EndpointState `json:"state"`
	}
	if !a.read(w, r, &in, `send {"events":["message.*"]}, {"state":"paused"}, or whatever else is to change`) {
		return
	}
	g, err := a.endpoint(r, true)
	if err == nil {
		g, err = a.o.Endpoints.Change(r.Context(), g.First().Group, func(c *kabar.EndpointConfig) error {
			in.put(c)
			return a.become(c, in.State)
		})
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.tellEndpoint(w, r, http.StatusOK, g, nil)
}

// become changes the state to one that an owner may give.
func (a *API) become(c *kabar.EndpointConfig, to *kabar.EndpointState) error {
	if to == nil || *to == c.State {
		return nil
	}
	switch *to {
	case kabar.EndpointActive, kabar.EndpointPaused, kabar.EndpointDisabled:
		c.Become(*to, "", a.o.Now())
		return nil
	case kabar.EndpointSuspended, kabar.EndpointRemoved:
	}
	return kabar.Refuse(kabar.ReasonInvalid, "state", "may be active, paused or disabled")
}

// removeEndpoint: DELETE /kabar/v1/endpoints/{id}.
func (a *API) removeEndpoint(w http.ResponseWriter, r *http.Request) {
	g, err := a.endpoint(r, true)
	if err == nil {
		err = a.o.Endpoints.Remove(r.Context(), g.First().Group)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// replaceSecret: POST /kabar/v1/endpoints/{id}/secret. The answer is the only one that shows it.
func (a *API) replaceSecret(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Secret  string              `json:"secret"`
		Kind    endpoint.SecretKind `json:"kind"`
		Overlap int                 `json:"overlap_hours"`
	}
	if !a.read(w, r, &in, `send {"overlap_hours":24}`) {
		return
	}
	g, err := a.endpoint(r, true)
	if err == nil && (in.Overlap < 0 || in.Overlap > endpoint.MaxOverlapHours) {
		err = kabar.Refuse(kabar.ReasonInvalid, "overlap_hours", "may be 0 to %d", endpoint.MaxOverlapHours)
	}
	secret := ""
	if err == nil {
		g, secret, err = a.o.Endpoints.Rotate(r.Context(), g.First().Group,
			endpoint.NewSecret{Value: in.Secret, Kind: in.Kind, Overlap: time.Duration(in.Overlap) * time.Hour})
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.tellEndpoint(w, r, http.StatusOK, g, func(e *shownEndpoint) { e.Secret = secret })
}

// testEndpoint: POST /kabar/v1/endpoints/{id}/test.
func (a *API) testEndpoint(w http.ResponseWriter, r *http.Request) {
	g, err := a.endpoint(r, true)
	var t *webhook.Trial
	if err == nil {
		t, err = a.o.Try(r.Context(), g.First())
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Taken   bool   `json:"taken"`
		Status  int    `json:"status,omitzero"`
		Error   string `json:"error,omitempty"`
		TookMS  int64  `json:"took_ms"`
		Request string `json:"request"`
		Answer  string `json:"answer,omitempty"`
	}{t.ID, t.Type, t.Error == "", t.Status, t.Error, t.Took.Milliseconds(), string(t.Body), string(t.Answer)})
}
