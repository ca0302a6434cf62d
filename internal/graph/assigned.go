package graph

import (
	"slices"
	"strings"

	"kabar"
)

// tasks are what a user can be given to do with an account.
var tasks = strings.Fields("MANAGE DEVELOP MANAGE_TEMPLATES MANAGE_PHONE VIEW_COST MANAGE_EXTENSIONS VIEW_PHONE_ASSETS MANAGE_PHONE_ASSETS " +
	"VIEW_TEMPLATES VIEW_INSIGHTS RECEIVE_INCOMING_MESSAGES MANAGE_BILLING MANAGE_USERS MESSAGING FULL_CONTROL")

// assignedUsers: GET /{account}/assigned_users. Access tokens stand for one user, who has every account; what a token may do is
// decided by whoever makes it.
func (a *API) assignedUsers(x *exchange, w *kabar.Account) error {
	p, err := x.paging()
	if err != nil {
		return err
	}
	app, err := a.app(x)
	if err != nil {
		return err
	}
	id := a.nodeID(app.User)
	shown := map[string]any{"id": id, "name": a.name, "user_type": "SYSTEM_USER", "tasks": []string{"MANAGE"},
		"business": map[string]string{"id": a.nodeID(app.Business), "name": a.name}}
	return x.reply(x.pageOf([]entry{{id, shown}}, p, a.nodeID(int64(w.ID))+"/assigned_users"))
}

// assignUser: POST /{account}/assigned_users. The only user is assigned already.
func (a *API) assignUser(x *exchange, _ *kabar.Account) error {
	var in struct {
		User  string   `json:"user"`
		Tasks []string `json:"tasks"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if err := a.checkUser(x, in.User); err != nil {
		return err
	}
	if len(in.Tasks) == 0 {
		return kabar.Refuse(kabar.ReasonMissing, "tasks", "is required: such as ['MANAGE']")
	}
	for _, task := range in.Tasks {
		if !slices.Contains(tasks, task) {
			return kabar.Refuse(kabar.ReasonInvalid, "tasks", "%q is none of %s", clip(task), strings.Join(tasks, " "))
		}
	}
	return x.success()
}

// unassignUser: DELETE /{account}/assigned_users.
func (a *API) unassignUser(x *exchange, _ *kabar.Account) error {
	var in struct {
		User string `json:"user"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if err := a.checkUser(x, in.User); err != nil {
		return err
	}
	return kabar.Refuse(kabar.ReasonInvalid, "user", "is the only user, whom every token stands for: the operator revokes tokens (kabar key revoke)")
}

func (a *API) checkUser(x *exchange, id string) error {
	app, err := a.app(x)
	switch {
	case err != nil:
		return err
	case id == "":
		return kabar.Refuse(kabar.ReasonMissing, "user", "is required: the id of a user")
	case id != a.nodeID(app.User):
		return kabar.Refuse(kabar.ReasonInvalid, "user", "there is no user %q", clip(id))
	}
	return nil
}

// credits: GET /{business}/extendedcredits. The lines of the accounts are parts of one line of the business, which has no id but the
// business's; there is none while no account of whoever asks has a part of it.
func (a *API) credits(x *exchange, b business) error {
	all, err := a.accounts(x)
	if err != nil {
		return err
	}
	answer := list{Data: []any{}}
	for _, w := range all {
		line, err := a.engine.Accounts().Credit(x.r.Context(), w.ID)
		if err != nil {
			return err
		}
		if !line.Open {
			answer.Data = []any{map[string]string{"id": a.nodeID(b.app.Business), "legal_entity_name": a.name}}
			break
		}
	}
	return x.reply(answer)
}
