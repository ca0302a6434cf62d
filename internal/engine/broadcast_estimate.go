package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// BroadcastEstimate is what is known of a broadcast before it begins.
type BroadcastEstimate struct {
	Recipients int                    `json:"recipients"`
	Category   kabar.Category         `json:"category"`
	Total      kabar.Money            `json:"total"`   // outside any window, of those who are not held back
	Markets    map[string]kabar.Money `json:"markets"` // the same by country
	Currency   string                 `json:"currency"`
	Covered    bool                   `json:"covered"` // by what is available of the line of credit now
	// Held back are those who have opted out, if what is sent asks that, and those who have not opted in where the number requires it.
	OptedOut   int `json:"opted_out"`
	NotOptedIn int `json:"not_opted_in"`
	// OverTier are how many customers more than the account may reach in the next 24 hours, if none of them has a window.
	OverTier int   `json:"over_tier"`
	Seconds  int64 `json:"seconds"` // that it takes at least
}

// Estimate says what a broadcast would cost, and stores nothing. It refuses what Create does.
func (b *Broadcasts) Estimate(ctx context.Context, in NewBroadcast) (*BroadcastEstimate, error) {
	p, err := b.plan(ctx, in)
	if err != nil {
		return nil, err
	}
	return b.estimate(ctx, p)
}

func (b *Broadcasts) estimate(ctx context.Context, p *broadcastPlan) (*BroadcastEstimate, error) {
	est := &BroadcastEstimate{Recipients: len(p.recipients), Category: p.def.Category,
		Seconds: b.seconds(p.line.number.ID, p.broadcast.PerSecond, len(p.recipients))}
	allowed, err := b.allowed(ctx, p, est)
	if err != nil {
		return nil, store.Refusal(err)
	}
	if est.OverTier, err = b.e.overTier(ctx, p.line, allowed); err != nil {
		return nil, store.Refusal(err)
	}
	if est.Total, est.Markets, err = b.e.accounts.Estimate(ctx, p.line.account.ID, p.def.Category, allowed); err != nil {
		return nil, err
	}
	credit, err := b.e.accounts.Credit(ctx, p.line.account.ID)
	if err != nil {
		return nil, err
	}
	est.Currency, est.Covered = credit.Currency, credit.Covers(est.Total)
	return est, nil
}

// consentPage is how many customers of the ledger are read at a time.
const consentPage = 1000

// allowed returns the recipients who are not held back by what they have agreed to, and counts the others. It reads the ledger rather than
// looking up everybody: who has said something is fewer.
func (b *Broadcasts) allowed(ctx context.Context, p *broadcastPlan, est *BroadcastEstimate) (allowed []string, err error) {
	policy := &p.line.settings.Consent
	said := map[string]kabar.ConsentState{}
	if kabar.AsksConsent(&kabar.Template{Category: p.def.Category}, policy) {
		if said, err = b.said(ctx, p); err != nil {
			return nil, err
		}
	}
	for _, r := range p.recipients {
		switch {
		case said[r.Handle] == kabar.ConsentOut:
			est.OptedOut++
		case policy.Required && said[r.Handle] != kabar.ConsentIn:
			est.NotOptedIn++
		default:
			allowed = append(allowed, r.Handle)
		}
	}
	return allowed, nil
}

// said returns what is known of the recipients' consent. The opt-out of one who has been erased stands under a pseudonym, and counts unless
// who has come back has said something since.
func (b *Broadcasts) said(ctx context.Context, p *broadcastPlan) (map[string]kabar.ConsentState, error) {
	said := make(map[string]kabar.ConsentState, len(p.recipients))
	known, erased := map[string]string{}, map[string]string{}
	for _, r := range p.recipients {
		known[r.Handle], erased[b.e.db.Pseudonym(p.line.account.ID, r.Handle)] = r.Handle, r.Handle
	}
	for _, from := range []struct {
		read func(context.Context, kabar.AccountID, string, int) ([]*kabar.Consent, error)
		of   map[string]string
	}{{b.e.db.ErasedConsents, erased}, {b.e.db.Consents, known}} {
		for after, more := "", true; more; {
			page, err := from.read(ctx, p.line.account.ID, after, consentPage)
			if err != nil {
				return nil, err
			}
			for _, c := range page {
				after = c.Handle
				if handle, asked := from.of[c.Handle]; asked {
					said[handle] = c.State
				}
			}
			more = len(page) == consentPage
		}
	}
	return said, nil
}
