package graph

import (
	"strconv"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/web"
)

// flowKind is a flow: a form of one or more screens.
func (a *API) flowKind() *kind {
	return kindOf(spec[*kabar.FlowDef]{name: "WhatsAppBusinessFlow", defaults: []string{"name", "status", "categories", "validation_errors"},
		find: a.flowOf, fields: a.flowFields(), update: a.editFlow, remove: a.removeFlow})
}

func (a *API) flowFields() map[string]func(*exchange, *kabar.FlowDef, Field) (any, error) {
	version := func(get func(*kabar.FlowForm) string) func(*kabar.FlowDef) any {
		return func(d *kabar.FlowDef) any {
			form, _ := kabar.ParseFlow(d.JSON)
			return orNothing(get(form))
		}
	}
	return map[string]func(*exchange, *kabar.FlowDef, Field) (any, error){
		"id":                        plain(func(d *kabar.FlowDef) any { return d.ID.String() }),
		"name":                      plain(func(d *kabar.FlowDef) any { return d.Name }),
		"status":                    plain(func(d *kabar.FlowDef) any { return d.Status }),
		"categories":                plain(func(d *kabar.FlowDef) any { return d.Categories }),
		"validation_errors":         plain(func(d *kabar.FlowDef) any { return orNone(d.Faults) }),
		"json_version":              plain(version(func(f *kabar.FlowForm) string { return f.Version })),
		"data_api_version":          plain(version(func(f *kabar.FlowForm) string { return f.DataAPI })),
		"data_channel_uri":          plain(func(d *kabar.FlowDef) any { return orNothing(d.Endpoint) }),
		"endpoint_uri":              plain(func(d *kabar.FlowDef) any { return orNothing(d.Endpoint) }),
		"updated_at":                plain(func(d *kabar.FlowDef) any { return orNothing(graphTime(d.Changed)) }),
		"health_status":             a.flowHealth,
		"preview":                   a.flowPreview,
		"whatsapp_business_account": func(x *exchange, d *kabar.FlowDef, f Field) (any, error) { return a.flowOwner(x, d, f) },
		"application":               func(x *exchange, _ *kabar.FlowDef, _ Field) (any, error) { return a.flowApp(x) },
	}
}

// flowPreview leads to flow.json: a page that plays the flow is the customer's phone.
func (a *API) flowPreview(x *exchange, d *kabar.FlowDef, _ Field) (any, error) {
	link, ends := a.flowURL(x, d)
	return map[string]string{"preview_url": link, "expires_at": graphTime(ends)}, nil
}

func (a *API) flowOwner(x *exchange, d *kabar.FlowDef, f Field) (any, error) {
	w, err := a.account(x, int64(d.Account))
	if err != nil {
		return nil, err
	}
	return a.accountKind().show(x, w, f.Fields)
}

func (a *API) flowApp(x *exchange) (any, error) {
	app, err := a.app(x)
	if err != nil {
		return nil, err
	}
	return map[string]string{"id": a.nodeID(app.ID), "name": a.name}, nil
}

// flowOf finds a flow of whoever asks.
func (a *API) flowOf(x *exchange, key int64) (*kabar.FlowDef, error) {
	return ownedBy(a, x, func(w kabar.AccountID) (*kabar.FlowDef, error) {
		return a.engine.Flows().Get(x.r.Context(), w, kabar.FlowID(a.store.Node(key)))
	})
}

func (a *API) ofFlow(f func(*exchange, *kabar.FlowDef) error) func(*exchange) error {
	return of(a, a.flowKind(), f)
}

// listFlows: GET /{account}/flows, oldest first.
func (a *API) listFlows(x *exchange, w *kabar.Account) error {
	p, fields, err := x.listed()
	if err != nil {
		return err
	}
	all, err := a.engine.Flows().List(x.r.Context(), w.ID)
	if err != nil {
		return err
	}
	k, entries := a.flowKind(), make([]entry, len(all))
	for i, d := range all {
		shown, err := k.show(x, d, fields)
		if err != nil {
			return err
		}
		entries[i] = entry{d.ID.String(), shown}
	}
	return x.reply(x.pageOf(entries, p, a.nodeID(int64(w.ID))+"/flows"))
}

// newFlow is the body of a creation.
type newFlow struct {
	Name       string          `json:"name"`
	Categories any             `json:"categories"` // a list, or one as text
	Clone      web.StringOrInt `json:"clone_flow_id"`
	JSON       string          `json:"flow_json"`
	Publish    bool            `json:"publish"`
	Endpoint   string          `json:"endpoint_uri"`
}

// createFlow: POST /{account}/flows. One that is to be published at once and has faults stays a draft, and success is false; one that
// cannot be published for another reason is not made.
func (a *API) createFlow(x *exchange, w *kabar.Account) error {
	var in newFlow
	if err := x.decode(&in); err != nil {
		return err
	}
	d := &kabar.FlowDef{Name: in.Name, Categories: namesOf(in.Categories), Endpoint: in.Endpoint, JSON: in.JSON}
	clone, err := flowIDOf("clone_flow_id", string(in.Clone))
	if err != nil {
		return err
	}
	if err := a.checkEndpoint(in.Endpoint); err != nil {
		return err
	}
	if in.Publish && in.JSON == "" {
		return kabar.Refuse(kabar.ReasonMissing, "flow_json", "is required to publish the flow at once")
	}
	if in.Publish {
		d, err = a.engine.Flows().CreatePublished(x.r.Context(), w.ID, d, clone)
	} else {
		d, err = a.engine.Flows().Create(x.r.Context(), w.ID, d, clone)
	}
	if err != nil {
		return err
	}
	return x.reply(map[string]any{"id": d.ID.String(), "success": !in.Publish || d.Status == kabar.FlowPublished, "validation_errors": orNone(d.Faults)})
}

// flowIDOf reads an id of a flow; 0 for none.
func flowIDOf(field, text string) (kabar.FlowID, error) {
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, kabar.Refuse(kabar.ReasonInvalid, field, "%q is no id of a flow", clip(text))
	}
	return kabar.FlowID(id), nil
}

// checkEndpoint refuses an address that this server would not call.
func (a *API) checkEndpoint(url string) error {
	if url == "" || a.checkURL == nil {
		return nil
	}
	if err := a.checkURL(url); err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "endpoint_uri", "%s", err.Error())
	}
	return nil
}

// editFlow: POST /{flow} changes what is said about the flow.
func (a *API) editFlow(x *exchange, d *kabar.FlowDef) error {
	var in struct {
		Name       string  `json:"name"`
		Categories any     `json:"categories"`
		Endpoint   *string `json:"endpoint_uri"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	edit := kabar.FlowEdit{Name: in.Name, Endpoint: in.Endpoint}
	if in.Categories != nil {
		edit.Categories = append([]string{}, namesOf(in.Categories)...)
	}
	if in.Name == "" && in.Categories == nil && in.Endpoint == nil {
		return kabar.Refuse(kabar.ReasonMissing, "name", "nothing to change: name, categories and endpoint_uri can be")
	}
	if in.Endpoint != nil {
		if err := a.checkEndpoint(*in.Endpoint); err != nil {
			return err
		}
	}
	if err := a.engine.Flows().Edit(x.r.Context(), d.Account, d.ID, edit); err != nil {
		return err
	}
	return x.success()
}

// removeFlow: DELETE /{flow}, of a draft. Any token reaches this path, since media are removed by it, too.
func (a *API) removeFlow(x *exchange, d *kabar.FlowDef) error {
	if !x.who.May(auth.ScopeManagement) {
		return kabar.Refuse(kabar.ReasonDenied, "", "the token needs %s", auth.ScopeManagement)
	}
	if err := a.engine.Flows().Delete(x.r.Context(), d.Account, d.ID); err != nil {
		return err
	}
	return x.success()
}

// publishFlow: POST /{flow}/publish.
func (a *API) publishFlow(x *exchange, d *kabar.FlowDef) error {
	if err := a.engine.Flows().Publish(x.r.Context(), d.Account, d.ID); err != nil {
		return err
	}
	return x.success()
}

// deprecateFlow: POST /{flow}/deprecate.
func (a *API) deprecateFlow(x *exchange, d *kabar.FlowDef) error {
	if err := a.engine.Flows().Deprecate(x.r.Context(), d.Account, d.ID); err != nil {
		return err
	}
	return x.success()
}

// migrateFlows: POST /{account}/migrate_flows copies flows of another account of whoever asks. The copies are drafts.
func (a *API) migrateFlows(x *exchange, w *kabar.Account) error {
	var in struct {
		Source web.StringOrInt `json:"source_waba_id"`
		Names  any             `json:"source_flow_names"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if in.Source == "" {
		return kabar.Refuse(kabar.ReasonMissing, "source_waba_id", "is required: the id of an account")
	}
	key, ok := a.nodeKey(string(in.Source))
	if !ok {
		return kabar.Refuse(kabar.ReasonInvalid, "source_waba_id", "%q is no id of an account", clip(string(in.Source)))
	}
	from, err := a.account(x, key)
	if isNone(err) || err == nil && from.ID == w.ID {
		return kabar.Refuse(kabar.ReasonInvalid, "source_waba_id", "is not that of another account that this token may use")
	}
	if err != nil {
		return err
	}
	all, err := a.engine.Flows().List(x.r.Context(), from.ID)
	if err != nil {
		return err
	}
	done, failed, err := a.copyFlows(x, w, all, namesOf(in.Names))
	if err != nil {
		return err
	}
	return x.reply(map[string]any{"migrated_flows": done, "failed_flows": failed})
}

// The codes of flows that are not copied. The first is published; the second is our choice.
const (
	flowNotFound = "4233041"
	flowNotMade  = "100"
)

// copyFlows copies the flows with the names, all of them for none.
func (a *API) copyFlows(x *exchange, w *kabar.Account, all []*kabar.FlowDef, names []string) (done, failed []any, err error) {
	done, failed = []any{}, []any{}
	byName := map[string]*kabar.FlowDef{}
	for _, d := range all {
		byName[d.Name] = d
	}
	if names == nil {
		for _, d := range all {
			names = append(names, d.Name)
		}
	}
	for _, name := range names {
		d := byName[name]
		if d == nil {
			failed = append(failed, map[string]string{"source_name": name, "error_code": flowNotFound,
				"error_message": "Flows Migration Error: Flow name not found in source WABA."})
			continue
		}
		made, err := a.engine.Flows().Create(x.r.Context(), w.ID, &kabar.FlowDef{Name: d.Name, Categories: d.Categories, Endpoint: d.Endpoint, JSON: d.JSON}, 0)
		if refused := refusalOf(x.r, err); refused != nil && refused.Reason == kabar.ReasonExists {
			failed = append(failed, map[string]string{"source_name": name, "error_code": flowNotMade, "error_message": "Flows Migration Error: " + refused.Explanation() + "."})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		done = append(done, map[string]string{"source_name": name, "source_id": d.ID.String(), "migrated_id": made.ID.String()})
	}
	return done, failed, nil
}
