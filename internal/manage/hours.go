package manage

import (
	"context"
	"net/http"

	"kabar"
)

// Hours are when businesses are open; *engine.Engine keeps them.
type Hours interface {
	Settings(kabar.NumberID) (kabar.Settings, error)
	SetHours(ctx context.Context, id kabar.NumberID, h *kabar.Hours, away string) error
}

// openingHours are when a business is open, as requests and answers have it. Without days nobody says when.
type openingHours struct {
	Timezone string                  `json:"timezone,omitempty"`
	Days     map[string][]kabar.Span `json:"days"`
	Away     string                  `json:"away_message"`
}

// showHours: GET /kabar/v1/numbers/{number}/opening_hours.
func (a *API) showHours(w http.ResponseWriter, r *http.Request) {
	n, err := a.numberNamed(r)
	if err == nil {
		err = onlyKnown(r)
	}
	if err == nil {
		err = a.tellHours(w, n)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

// putHours: PUT /kabar/v1/numbers/{number}/opening_hours, in the place of those before.
func (a *API) putHours(w http.ResponseWriter, r *http.Request) {
	var in openingHours
	if !a.read(w, r, &in, `send {"timezone":"Asia/Jakarta","days":{"monday":[{"open":"09:00","close":"17:00"}]},"away_message":"We answer tomorrow."}`) {
		return
	}
	n, err := a.numberNamed(r)
	if err == nil {
		var h *kabar.Hours
		if in.Timezone != "" || len(in.Days) > 0 {
			h = &kabar.Hours{Timezone: in.Timezone, Days: in.Days}
		}
		err = a.o.Hours.SetHours(r.Context(), n.ID, h, in.Away)
	}
	if err == nil {
		n, err = a.numberNamed(r)
	}
	if err == nil {
		err = a.tellHours(w, n)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

func (a *API) tellHours(w http.ResponseWriter, n *kabar.Number) error {
	s, err := a.o.Hours.Settings(n.ID)
	if err != nil {
		return err
	}
	out := openingHours{Days: map[string][]kabar.Span{}, Away: s.Away}
	if h := n.Profile.Hours; h != nil {
		out.Timezone, out.Days = h.Timezone, h.Days
	}
	a.write(w, http.StatusOK, out)
	return nil
}
