package kabar

// Retention is for how many days an account keeps what its numbers have. nil: as long as the server and the settings of each number
// say; 0: without end.
type Retention struct {
	Messages *int `json:"messages"`
	Media    *int `json:"media"` // counted from when a medium was last sent or fetched
	Events   *int `json:"events"`
	Answers  *int `json:"answers"` // to requests with an idempotency key
	// Broadcasts are counted from when one was done or cancelled, and go with their lists. nil: as Messages.
	Broadcasts *int `json:"broadcasts"`
}

// MaxRetention is the longest time that can be said in days; 0 says more.
const MaxRetention = 3650

// Validate refuses what is no number of days, with ReasonInvalid.
func (r *Retention) Validate() error {
	for _, of := range r.fields() {
		if days := *of.days; days != nil && (*days < 0 || *days > MaxRetention) {
			return Refuse(ReasonInvalid, of.name, "is %d, it must be 1 to %d days, or 0 to keep without end", *days, MaxRetention)
		}
	}
	if r.Answers != nil && *r.Answers == 0 {
		return Refuse(ReasonInvalid, "answers", "must end: say 1 day or more")
	}
	return nil
}

type retentionField struct {
	name string
	days **int
}

func (r *Retention) fields() []retentionField {
	return []retentionField{{"messages", &r.Messages}, {"media", &r.Media}, {"events", &r.Events}, {"answers", &r.Answers}, {"broadcasts", &r.Broadcasts}}
}
