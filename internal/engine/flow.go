package engine

import (
	"cmp"
	"context"
	"strconv"

	"kabar"
	"kabar/internal/store"
)

// Flows are the flows of all accounts. All methods are safe for concurrent use; the errors are *kabar.Error, or the store's.
type Flows struct{ e *Engine }

// Flows returns the flows that messages open.
func (e *Engine) Flows() *Flows { return &Flows{e} }

// Create makes a draft. With clone, another flow of the account is what it begins with.
func (f *Flows) Create(ctx context.Context, a kabar.AccountID, d *kabar.FlowDef, clone kabar.FlowID) (*kabar.FlowDef, error) {
	made, err := f.draft(ctx, a, d, clone)
	if err != nil {
		return nil, err
	}
	return made, f.save(ctx, made)
}

// CreatePublished makes a flow that is published, all of it or nothing. One whose JSON has faults becomes a draft.
func (f *Flows) CreatePublished(ctx context.Context, a kabar.AccountID, d *kabar.FlowDef, clone kabar.FlowID) (*kabar.FlowDef, error) {
	made, err := f.draft(ctx, a, d, clone)
	if err != nil {
		return nil, err
	}
	if len(made.Faults) == 0 {
		if err := f.e.checkReady(ctx, made); err != nil {
			return nil, store.Refusal(err)
		}
		if err := made.Publish(made.Created); err != nil {
			return nil, err
		}
	}
	return made, f.save(ctx, made)
}

// draft returns what a new flow is to be, checked.
func (f *Flows) draft(ctx context.Context, a kabar.AccountID, d *kabar.FlowDef, clone kabar.FlowID) (*kabar.FlowDef, error) {
	made := *d
	made.Account, made.ID, made.Status = a, 0, kabar.FlowDraft
	made.Created, made.Changed = f.e.now(), f.e.now()
	if clone != 0 {
		from, err := f.e.db.Flow(ctx, a, clone)
		if store.IsNotFound(err) {
			return nil, kabar.Refuse(kabar.ReasonInvalid, "clone_flow_id", "the account has no flow %d", clone)
		}
		if err != nil {
			return nil, store.Refusal(err)
		}
		if made.JSON == "" {
			made.JSON = from.JSON
		}
		if made.Endpoint == "" {
			made.Endpoint = from.Endpoint
		}
	}
	if err := made.Check(); err != nil {
		return nil, err
	}
	if made.JSON != "" {
		if err := made.SetJSON(made.Created, "flow_json", made.JSON); err != nil {
			return nil, err
		}
	}
	return &made, nil
}

// save stores a flow whose name may be new.
func (f *Flows) save(ctx context.Context, d *kabar.FlowDef) error {
	f.e.flowNames.Lock()
	defer f.e.flowNames.Unlock()
	if err := f.free(ctx, d); err != nil {
		return store.Refusal(err)
	}
	blank := *d
	err := f.e.db.Write(ctx, nil, func(tx *store.Tx) error {
		*d = blank // the writer may run an operation again
		return tx.SaveFlow(d)
	})
	return store.Refusal(err)
}

// free refuses the name of another flow of the account.
func (f *Flows) free(ctx context.Context, d *kabar.FlowDef) error {
	other, err := f.e.db.FlowNamed(ctx, d.Account, d.Name)
	switch {
	case store.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case other.ID != d.ID:
		return kabar.Refuse(kabar.ReasonExists, "name", "the account has a flow %q already", d.Name)
	}
	return nil
}

// Get returns a flow of the account; one that is unknown is ReasonNotFound.
func (f *Flows) Get(ctx context.Context, a kabar.AccountID, id kabar.FlowID) (*kabar.FlowDef, error) {
	d, err := f.e.db.Flow(ctx, a, id)
	return d, store.Refusal(err)
}

// List returns the flows of the account, oldest first.
func (f *Flows) List(ctx context.Context, a kabar.AccountID) ([]*kabar.FlowDef, error) {
	all, err := f.e.db.Flows(ctx, a)
	return all, store.Refusal(err)
}

// Edit changes what is said about a flow: see kabar.FlowDef.Edit.
func (f *Flows) Edit(ctx context.Context, a kabar.AccountID, id kabar.FlowID, edit kabar.FlowEdit) error {
	if edit.Name != "" {
		f.e.flowNames.Lock()
		defer f.e.flowNames.Unlock()
		if err := f.free(ctx, &kabar.FlowDef{Account: a, ID: id, Name: edit.Name}); err != nil {
			return store.Refusal(err)
		}
	}
	_, err := f.change(ctx, a, id, func(d *kabar.FlowDef) error { return d.Edit(f.e.now(), edit) })
	return err
}

// SetJSON takes what a flow consists of, and returns it with the faults that were found.
func (f *Flows) SetJSON(ctx context.Context, a kabar.AccountID, id kabar.FlowID, text string) (*kabar.FlowDef, error) {
	return f.change(ctx, a, id, func(d *kabar.FlowDef) error { return d.SetJSON(f.e.now(), "file", text) })
}

// Publish makes a draft one that customers can open, when its endpoint answers.
func (f *Flows) Publish(ctx context.Context, a kabar.AccountID, id kabar.FlowID) error {
	d, err := f.Get(ctx, a, id)
	if err != nil {
		return err
	}
	if err := f.e.checkReady(ctx, d); err != nil {
		return store.Refusal(err)
	}
	_, err = f.change(ctx, a, id, func(d *kabar.FlowDef) error { return d.Publish(f.e.now()) })
	return err
}

// Deprecate ends the use of a published flow.
func (f *Flows) Deprecate(ctx context.Context, a kabar.AccountID, id kabar.FlowID) error {
	_, err := f.change(ctx, a, id, func(d *kabar.FlowDef) error { return d.Deprecate(f.e.now()) })
	return err
}

// Delete removes a draft.
func (f *Flows) Delete(ctx context.Context, a kabar.AccountID, id kabar.FlowID) error {
	return store.Refusal(f.e.db.Write(ctx, nil, func(tx *store.Tx) error {
		d, err := tx.Flow(a, id)
		if err != nil {
			return err
		}
		if err := d.CanDelete(); err != nil {
			return err
		}
		return tx.RemoveFlow(id)
	}))
}

// change changes a flow within one commit.
func (f *Flows) change(ctx context.Context, a kabar.AccountID, id kabar.FlowID, do func(*kabar.FlowDef) error) (d *kabar.FlowDef, err error) {
	err = f.e.db.Write(ctx, nil, func(tx *store.Tx) error {
		if d, err = tx.Flow(a, id); err != nil {
			return err
		}
		if err := do(d); err != nil {
			return err
		}
		return tx.SaveFlow(d)
	})
	return d, store.Refusal(err)
}

// findFlow returns a flow of the account by its id, or by its name, or a NotFoundError.
func findFlow(ctx context.Context, db *store.DB, a kabar.AccountID, id, name string) (*kabar.FlowDef, error) {
	if name != "" {
		return db.FlowNamed(ctx, a, name)
	}
	key, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, &store.NotFoundError{What: "flow"}
	}
	return db.Flow(ctx, a, kabar.FlowID(key))
}

// openFlow finds the flow that a message is to open, by its id or by its name, and puts into the message what the customer sees of
// it. at is where its parameters stand. One that is not kept here is refused, unless foreign ones are allowed: then the message goes as
// it is.
func (e *Engine) openFlow(ctx context.Context, l *line, at string, f *kabar.Flow, foreign bool) error {
	field := at + "flow_id"
	if f.Name != "" {
		field = at + "flow_name"
	}
	d, err := findFlow(ctx, e.db, l.number.Account, f.ID, f.Name)
	switch {
	case store.IsNotFound(err) && foreign:
		return nil
	case store.IsNotFound(err):
		return kabar.Refuse(kabar.ReasonFlow, field, "the account has no such flow")
	case err != nil:
		return err
	}
	if err := cmp.Or(d.CanSend(field, f.Draft), d.CanOpen(at, f)); err != nil {
		return err
	}
	f.ID, f.Form = d.ID.String(), ""
	if len(d.JSON) <= kabar.MaxFlowForm {
		f.Form = d.JSON
	}
	return nil
}

// openFlows does the same for the buttons of a template. A flow of the template's own is there already.
func (e *Engine) openFlows(ctx context.Context, l *line, buttons []kabar.RenderedButton, foreign bool) error {
	for i := range buttons {
		b := &buttons[i]
		if b.Flow == nil || b.Flow.Form != "" {
			continue
		}
		f := b.Flow.Flow(b.Text)
		if err := e.openFlow(ctx, l, "template.", f, foreign); err != nil {
			return err
		}
		b.Flow.ID, b.Flow.Form = f.ID, f.Form
	}
	return nil
}
