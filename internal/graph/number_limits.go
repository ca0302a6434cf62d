package graph

import "kabar"

// throughput is the level of a number; one that is not limited is high.
func (a *API) throughput(_ *exchange, n *kabar.Number, _ Field) (any, error) {
	s, err := a.engine.Settings(n.ID)
	return map[string]string{"level": s.Limits.Throughput.Level()}, err
}

// messagingLimit is the tier of a number; one without is unlimited.
func (a *API) messagingLimit(_ *exchange, n *kabar.Number, _ Field) (any, error) {
	s, err := a.engine.Settings(n.ID)
	return s.Limits.Tier.Code(), err
}

// qualityRating says how customers take a number. While there is too little to say it is GREEN: Meta's description of the API has no
// UNKNOWN here, and nothing speaks against the number.
func (a *API) qualityRating(x *exchange, n *kabar.Number, _ Field) (any, error) {
	score, err := a.engine.Quality(x.r.Context(), n)
	if score == kabar.ScoreUnknown {
		score = kabar.ScoreGreen
	}
	return score, err
}

func (a *API) qualityScore(x *exchange, n *kabar.Number, f Field) (any, error) {
	score, err := a.qualityRating(x, n, f)
	return map[string]any{"score": score}, err
}
