package graph

import (
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// blockRequest names customers.
type blockRequest struct {
	Product string `json:"messaging_product"`
	Users   []struct {
		User string `json:"user"`
	} `json:"block_users"`
}

// blockAnswer says what became of each.
type blockAnswer struct {
	Product string        `json:"messaging_product"`
	Users   blockOutcomes `json:"block_users"`
	Error   *fault        `json:"error,omitzero"` // when some have failed
}

type blockOutcomes struct {
	Added   []blockOutcome `json:"added_users,omitzero"`
	Removed []blockOutcome `json:"removed_users,omitzero"`
	Failed  []blockOutcome `json:"failed_users,omitzero"`
}

type blockOutcome struct {
	Input  string       `json:"input"`
	WaID   string       `json:"wa_id,omitzero"`
	User   string       `json:"user_id,omitzero"` // of a customer who hides the number
	Errors []blockFault `json:"errors,omitzero"`
}

type blockFault struct {
	Message string    `json:"message"`
	Code    int       `json:"code"`
	Data    faultText `json:"error_data"`
}

// block: POST /{number}/block_users. What the customers write is dropped from now on, and what is sent to them fails.
func (a *API) block(x *exchange, n *kabar.Number) error {
	users, err := x.blocked()
	if err != nil {
		return err
	}
	all, err := a.engine.Bar(x.r.Context(), n.ID, users, engine.MaxBarred)
	if err != nil {
		return err
	}
	done, failed := outcomes(all)
	return a.replyBlocked(x, blockOutcomes{Added: done, Failed: failed})
}

// unblock: DELETE /{number}/block_users. What the customers wrote meanwhile is not delivered.
func (a *API) unblock(x *exchange, n *kabar.Number) error {
	users, err := x.blocked()
	if err != nil {
		return err
	}
	all, err := a.engine.Unbar(x.r.Context(), n.ID, users)
	if err != nil {
		return err
	}
	done, failed := outcomes(all)
	return a.replyBlocked(x, blockOutcomes{Removed: done, Failed: failed})
}

// blocked reads whom a request names.
func (x *exchange) blocked() (users []string, err error) {
	x.own = ofBlocking
	var in blockRequest
	if err := x.decodeLong(&in, engine.MaxBarred+2); err != nil {
		return nil, err
	}
	if err := checkProduct(in.Product); err != nil {
		return nil, err
	}
	if len(in.Users) == 0 {
		return nil, kabar.Refuse(kabar.ReasonMissing, "block_users", `is required: [{"user": "PHONE_NUMBER"}]`)
	}
	for i := range in.Users {
		users = append(users, in.Users[i].User)
	}
	return users, nil
}

// outcomes tells what became of customers.
func outcomes(all []engine.Barring) (done, failed []blockOutcome) {
	for _, b := range all {
		o := blockOutcome{Input: b.Input, WaID: b.Customer.WaID}
		if o.WaID == "" {
			o.User = b.Customer.BSUID
		}
		if b.Refused == nil {
			done = append(done, o)
			continue
		}
		why := failure(b.Refused.Reason, false)
		o.Errors = []blockFault{{"(#" + strconv.Itoa(why.Code) + ") " + why.Title, why.Code, faultText{b.Refused.Explanation()}}}
		failed = append(failed, o)
	}
	return done, failed
}

// replyBlocked answers 200, or 400 with an error beside the list when some have failed.
func (a *API) replyBlocked(x *exchange, all blockOutcomes) error {
	out := blockAnswer{Product: "whatsapp", Users: all}
	if len(all.Failed) == 0 {
		return x.reply(out)
	}
	e := faultOf(x, blockFailed, kabar.Refuse(kabar.ReasonInvalid, "", "see the errors of failed_users"))
	out.Error = &e
	body, err := web.Encode(out)
	if err != nil {
		return err
	}
	x.write(http.StatusBadRequest, body)
	return nil
}

// listBlocked: GET /{number}/block_users.
func (a *API) listBlocked(x *exchange, n *kabar.Number) error {
	x.own = ofBlocking
	p, err := x.paging()
	if err != nil {
		return err
	}
	after, err := a.conversationAt("after", p.After)
	if err != nil {
		return err
	}
	before, err := a.conversationAt("before", p.Before)
	if err != nil {
		return err
	}
	all, more, err := a.engine.Barred(x.r.Context(), n.ID, after, before, p.Limit)
	if err != nil {
		return err
	}
	page := &list{Data: []any{}}
	for _, c := range all {
		shown := map[string]string{"messaging_product": "whatsapp", "wa_id": c.Customer.WaID}
		if c.Customer.WaID == "" {
			shown = map[string]string{"messaging_product": "whatsapp", "user_id": c.Customer.BSUID}
		}
		page.Data = append(page.Data, shown)
	}
	if len(all) > 0 {
		c := &cursors{cursor(a.nodeID(int64(all[0].ID))), cursor(a.nodeID(int64(all[len(all)-1].ID)))}
		page.Paging = x.around(a.nodeID(int64(n.ID))+"/block_users", p, c, more)
	}
	return x.reply(page)
}

// conversationAt reads what a cursor of the list holds; 0 for none.
func (a *API) conversationAt(name, cursor string) (kabar.ConversationID, error) {
	if cursor == "" {
		return 0, nil
	}
	key, ok := a.nodeKey(cursor)
	if !ok {
		return 0, kabar.Refuse(kabar.ReasonInvalid, name, "is no cursor")
	}
	return kabar.ConversationID(key), nil
}
