package graph

import (
	"net/http"
	"net/url"
	"time"

	"kabar"
	"kabar/internal/media"
)

// What a flow consists of is its only asset.
const (
	assetType = "FLOW_JSON"
	assetName = "flow.json"
)

// listAssets: GET /{flow}/assets.
func (a *API) listAssets(x *exchange, d *kabar.FlowDef) error {
	answer := &list{Data: []any{}}
	if d.JSON != "" {
		link, _ := a.flowURL(x, d)
		answer.Data = append(answer.Data, map[string]string{"name": assetName, "asset_type": assetType, "download_url": link})
		answer.Paging = &around{Cursors: &cursors{cursor(assetName), cursor(assetName)}}
	}
	return x.reply(answer)
}

// setAsset: POST /{flow}/assets takes flow.json as the part file of a form. What is faulty is kept, and every fault named.
func (a *API) setAsset(x *exchange, d *kabar.FlowDef) error {
	var in struct {
		File string `json:"file"`
		Name string `json:"name"`
		Type string `json:"asset_type"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	switch {
	case in.File == "":
		return kabar.Refuse(kabar.ReasonMissing, "file", "is required: flow.json, as a part of a form")
	case in.Name != "" && in.Name != assetName:
		return kabar.Refuse(kabar.ReasonInvalid, "name", "is %q, allowed is %s", clip(in.Name), assetName)
	case in.Type != "" && in.Type != assetType:
		return kabar.Refuse(kabar.ReasonInvalid, "asset_type", "is %q, allowed is %s", clip(in.Type), assetType)
	}
	d, err := a.engine.Flows().SetJSON(x.r.Context(), d.Account, d.ID, in.File)
	if err != nil {
		return err
	}
	return x.reply(map[string]any{"success": true, "validation_errors": orNone(d.Faults)})
}

// flowURL leads to flow.json. It ends at a full minute: a flow that is read twice shows the same link as a rule.
func (a *API) flowURL(x *exchange, d *kabar.FlowDef) (link string, ends time.Time) {
	ends = a.now().Add(linkLife + time.Minute - 1).Truncate(time.Minute)
	return a.briefLink(x, flowLink, url.Values{"mid": {d.ID.String()}, "nid": {a.nodeID(int64(d.Account))}}, ends), ends
}

// downloadFlow: GET /whatsapp_business/flow_assets answers flow.json.
func (a *API) downloadFlow(x *exchange) error {
	q, ok := a.followed(x, flowLink, "mid", "nid")
	if !ok {
		return gone("the flow")
	}
	account, _ := a.nodeKey(q.Get("nid"))
	id, err := flowIDOf("mid", q.Get("mid"))
	if err != nil {
		return err
	}
	d, err := a.engine.Flows().Get(x.r.Context(), kabar.AccountID(account), id)
	if isNone(err) {
		return gone("the flow")
	}
	if err != nil {
		return err
	}
	media.ServeHeaders(x.w.Header(), "application/json; charset=UTF-8", assetName)
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write([]byte(d.JSON)) // that the client is gone is nobody's fault
	return nil
}
