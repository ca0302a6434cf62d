package manage

import (
	"context"
	"net/http"
	"strings"

	"kabar"
	"kabar/internal/web"
)

// Limits are what numbers may send; *engine.Engine keeps them.
type Limits interface {
	Settings(kabar.NumberID) (kabar.Settings, error)
	ChangeLimits(ctx context.Context, id kabar.NumberID, change func(*kabar.Limits) error) (kabar.Limits, error)
	Reach(context.Context, kabar.AccountID) (kabar.Reach, error)
	Quality(context.Context, *kabar.Number) (kabar.TemplateScore, error)
}

// limits are a number's limits as answers show them.
type limits struct {
	Number     string              `json:"number"`
	Throughput kabar.Throughput    `json:"throughput"` // 0: there is no limit
	PairRate   bool                `json:"pair_rate"`
	Tier       string              `json:"tier"`
	Reached    int                 `json:"reached_24h"` // of the account; counted where a number has a tier
	Quality    kabar.TemplateScore `json:"quality"`
}

// showLimits: GET /kabar/v1/numbers/{number}/limits.
func (a *API) showLimits(w http.ResponseWriter, r *http.Request) {
	n, err := a.numberNamed(r)
	if err == nil {
		err = onlyKnown(r)
	}
	var s kabar.Settings
	if err == nil {
		s, err = a.o.Limits.Settings(n.ID)
	}
	if err == nil {
		err = a.tellLimits(w, r, n, s.Limits)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

// changeLimits: PATCH /kabar/v1/numbers/{number}/limits. Whom they hold does not change them.
func (a *API) changeLimits(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Throughput *web.StringOrInt `json:"throughput"`
		PairRate   *bool            `json:"pair_rate"`
		Tier       *web.StringOrInt `json:"tier"`
	}
	if !a.read(w, r, &in, `send {"throughput":80,"pair_rate":true,"tier":"2k"}, or some of them`) {
		return
	}
	n, err := a.numberNamed(r)
	if err == nil {
		_, err = a.operator(r)
	}
	var now kabar.Limits
	if err == nil {
		now, err = a.o.Limits.ChangeLimits(r.Context(), n.ID, func(l *kabar.Limits) (err error) {
			if in.Throughput != nil {
				if l.Throughput, err = kabar.ParseThroughput(string(*in.Throughput)); err != nil {
					return err
				}
			}
			if in.Tier != nil {
				if l.Tier, err = kabar.ParseTier(string(*in.Tier)); err != nil {
					return err
				}
			}
			if in.PairRate != nil {
				l.PairRate = *in.PairRate
			}
			return nil
		})
	}
	if err == nil {
		err = a.tellLimits(w, r, n, now)
	}
	if err != nil {
		a.Refuse(w, r, err)
	}
}

func (a *API) tellLimits(w http.ResponseWriter, r *http.Request, n *kabar.Number, l kabar.Limits) error {
	reach, err := a.o.Limits.Reach(r.Context(), n.Account)
	if err != nil {
		return err
	}
	quality, err := a.o.Limits.Quality(r.Context(), n)
	if err != nil {
		return err
	}
	a.write(w, http.StatusOK, limits{n.Digits, l.Throughput, l.PairRate, l.Tier.String(), reach.Day, quality})
	return nil
}

// numberNamed returns the number that a path names, if the request may see it.
func (a *API) numberNamed(r *http.Request) (*kabar.Number, error) {
	all, err := a.o.Numbers(r.Context())
	if err != nil {
		return nil, err
	}
	of := a.o.Of(r)
	for _, n := range all {
		if n.Digits == strings.TrimPrefix(r.PathValue("number"), "+") && of.Has(n) {
			return n, nil
		}
	}
	return nil, kabar.Refuse(kabar.ReasonNotFound, "number", "there is no such number: write its digits with the country code")
}
