package manage

import (
	"encoding/json"
	"net/http"

	"kabar"
)

// days is a number of days in a change: absent leaves it, null takes it back.
type days struct {
	said  bool
	count *int
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *days) UnmarshalJSON(b []byte) error {
	d.said, d.count = true, nil
	return json.Unmarshal(b, &d.count)
}

func (d days) apply(to **int) {
	if d.said {
		*to = d.count
	}
}

// showRetention: GET /kabar/v1/accounts/{waba_id}/retention.
func (a *API) showRetention(w http.ResponseWriter, r *http.Request) {
	id, _, err := a.named(r)
	if err == nil {
		err = onlyKnown(r)
	}
	var kept kabar.Retention
	if err == nil {
		kept, err = a.o.Accounts.Retention(r.Context(), id)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, kept)
}

// changeRetention: PATCH /kabar/v1/accounts/{waba_id}/retention.
func (a *API) changeRetention(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Messages days `json:"messages"`
		Media    days `json:"media"`
		Events   days `json:"events"`
		Answers  days `json:"answers"`

		Broadcasts days `json:"broadcasts"`
	}
	if !a.read(w, r, &in, `send {"messages":365,"media":90}: days, 0 to keep without end, null for what the settings say`) {
		return
	}
	id, _, err := a.named(r)
	var kept kabar.Retention
	if err == nil {
		kept, err = a.o.Accounts.ChangeRetention(r.Context(), id, func(to *kabar.Retention) error {
			in.Messages.apply(&to.Messages)
			in.Media.apply(&to.Media)
			in.Events.apply(&to.Events)
			in.Answers.apply(&to.Answers)
			in.Broadcasts.apply(&to.Broadcasts)
			return nil
		})
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, kept)
}
