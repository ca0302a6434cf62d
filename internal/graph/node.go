package graph

import (
	"errors"

	"kabar"
	"kabar/internal/store"
)

// kind is a kind of node: how one is found by its key, and what GET, POST and DELETE /{id} do with it.
type kind struct {
	name     string                                                     // as errors call it
	find     func(x *exchange, key int64) (any, error)                  // nil: it is none of these, or not for whoever asks
	defaults []string                                                   // the fields that are shown when none are named
	field    func(name string) func(*exchange, any, Field) (any, error) // nil: there is no such field
	update   func(x *exchange, node any) error                          // nil: it cannot be changed
	remove   func(x *exchange, node any) error                          // nil: it cannot be removed
}

// spec is a kind of nodes of a type.
type spec[T any] struct {
	name     string
	find     func(x *exchange, key int64) (T, error) // a *store.NotFoundError, or a refusal as such: it is none
	defaults []string
	fields   map[string]func(*exchange, T, Field) (any, error)
	update   func(*exchange, T) error
	remove   func(*exchange, T) error
}

// kindOf makes a kind of a spec.
func kindOf[T any](s spec[T]) *kind {
	k := &kind{name: s.name, defaults: s.defaults}
	k.find = func(x *exchange, key int64) (any, error) {
		node, err := s.find(x, key)
		if isNone(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return node, nil
	}
	k.field = func(name string) func(*exchange, any, Field) (any, error) {
		f := s.fields[name]
		if f == nil {
			return nil
		}
		return func(x *exchange, node any, asked Field) (any, error) { return f(x, node.(T), asked) }
	}
	if s.update != nil {
		k.update = func(x *exchange, node any) error { return s.update(x, node.(T)) }
	}
	if s.remove != nil {
		k.remove = func(x *exchange, node any) error { return s.remove(x, node.(T)) }
	}
	return k
}

// allKinds lists the kinds of nodes, those that are asked for most first.
func (a *API) allKinds() []*kind {
	return []*kind{a.numberKind(), a.accountKind(), a.mediumKind(), a.appKind(), a.businessKind(), a.userKind(), a.templateKind(), a.flowKind()}
}

// errNone says that there is no such node for whoever asks.
func errNone() error { return &kabar.Error{Reason: kabar.ReasonNotFound} }

func isNone(err error) bool {
	if store.IsNotFound(err) {
		return true
	}
	refused, ok := errors.AsType[*kabar.Error](err)
	return ok && refused.Reason == kabar.ReasonNotFound
}

// node finds the node of a public id.
func (a *API) node(x *exchange, id string) (*kind, any, error) {
	kinds := a.kinds
	key, ok := a.nodeKey(id)
	if !ok {
		kinds = []*kind{a.uploadKind()}
		key, ok = a.uploadKey(id)
	}
	if !ok {
		return nil, nil, noNode(x, id)
	}
	for _, k := range kinds {
		node, err := k.find(x, key)
		if err != nil {
			return nil, nil, err
		}
		if node != nil {
			return k, node, nil
		}
	}
	return nil, nil, noNode(x, id)
}

// showNode: GET /{id} of any kind.
func (a *API) showNode(x *exchange) error {
	k, node, err := a.node(x, x.r.PathValue("id"))
	if err != nil {
		return err
	}
	fields, err := ParseFields(x.r.URL.Query().Get("fields"))
	if err != nil {
		return err
	}
	shown, err := k.show(x, node, fields)
	if err != nil {
		return err
	}
	return x.reply(shown)
}

// show returns the fields of a node; nil for the defaults. The id is always among them.
func (k *kind) show(x *exchange, node any, fields []Field) (map[string]any, error) {
	if fields == nil {
		for _, name := range k.defaults {
			fields = append(fields, Field{Name: name})
		}
	}
	shown := map[string]any{}
	for _, f := range append(fields, Field{Name: "id"}) {
		get := k.field(f.Name)
		if get == nil {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "fields", "Tried accessing nonexisting field (%s) on node type (%s)", clip(f.Name), k.name)
		}
		value, err := get(x, node, f)
		if err != nil {
			return nil, err
		}
		if value != nil {
			shown[f.Name] = value
		}
	}
	return shown, nil
}

// updateNode: POST /{id} of any kind.
func (a *API) updateNode(x *exchange) error {
	k, node, err := a.node(x, x.r.PathValue("id"))
	if err != nil {
		return err
	}
	if k.update == nil {
		return noNode(x, x.r.PathValue("id"))
	}
	return k.update(x, node)
}

// removeNode: DELETE /{id} of any kind.
func (a *API) removeNode(x *exchange) error {
	k, node, err := a.node(x, x.r.PathValue("id"))
	if err != nil {
		return err
	}
	if k.remove == nil {
		return noNode(x, x.r.PathValue("id"))
	}
	return k.remove(x, node)
}

// of finds the node of {id} among those of one kind, for an edge.
func of[T any](a *API, k *kind, f func(*exchange, T) error) func(*exchange) error {
	return func(x *exchange) error {
		id := x.r.PathValue("id")
		key, ok := a.nodeKey(id)
		if !ok {
			return noNode(x, id)
		}
		node, err := k.find(x, key)
		if err != nil {
			return err
		}
		if node == nil {
			return noNode(x, id)
		}
		return f(x, node.(T))
	}
}

// The edges of each kind.
func (a *API) ofNumber(f func(*exchange, *kabar.Number) error) func(*exchange) error {
	return of(a, a.numberKind(), f)
}

func (a *API) ofAccount(f func(*exchange, *kabar.Account) error) func(*exchange) error {
	return of(a, a.accountKind(), f)
}

func (a *API) ofApp(f func(*exchange, *store.App) error) func(*exchange) error {
	edge := of(a, a.appKind(), f)
	return func(x *exchange) error {
		if x.r.PathValue("id") == "app" { // that of the token: there is one
			app, err := a.app(x)
			if err != nil {
				return err
			}
			return f(x, app)
		}
		return edge(x)
	}
}

func (a *API) ofBusiness(f func(*exchange, business) error) func(*exchange) error {
	return of(a, a.businessKind(), f)
}

func (a *API) ofUser(f func(*exchange, user) error) func(*exchange) error {
	return of(a, a.userKind(), f)
}

// plain is a field that needs neither the request nor modifiers.
func plain[T any](get func(T) any) func(*exchange, T, Field) (any, error) {
	return func(_ *exchange, node T, _ Field) (any, error) { return get(node), nil }
}
