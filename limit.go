package kabar

import (
	"fmt"
	"strings"
	"time"
)

// Limits are how fast a number may send, and how many customers it may write to that have not written to it (contract Cloud API,
// section 4). The zero value limits nothing.
type Limits struct {
	Throughput Throughput `json:"throughput"`
	PairRate   bool       `json:"pair_rate"` // one customer gets no more than Pair allows
	Tier       Tier       `json:"tier"`
}

// StartingLimits are those of a number that is added to a server.
func StartingLimits() Limits {
	return Limits{Throughput: ThroughputStandard, Tier: Tier250}
}

// Throughput is how many messages a second a number may have, those of customers and of all kinds included; 0: there is no limit.
// Messages of customers are never refused: they leave less for those of the business.
type Throughput int

// The levels of throughput.
const (
	ThroughputStandard Throughput = 80
	ThroughputHigh     Throughput = 1000
)

// off is how an operator calls what limits nothing.
const off = "off"

func (t Throughput) String() string {
	if t == 0 {
		return off
	}
	return fmt.Sprint(int(t))
}

// Level is how the Cloud API calls a throughput: standard, as it has no word for one without limit.
func (t Throughput) Level() string {
	if t == ThroughputHigh {
		return LevelHigh
	}
	return LevelStandard
}

// What Throughput.Level returns.
const (
	LevelStandard = "STANDARD"
	LevelHigh     = "HIGH"
)

// ParseThroughput reads a level as an operator writes it.
func ParseThroughput(s string) (Throughput, error) {
	for _, t := range []Throughput{0, ThroughputStandard, ThroughputHigh} {
		if strings.EqualFold(s, t.String()) || t == 0 && s == "0" {
			return t, nil
		}
	}
	return 0, fault(ReasonInvalid, "throughput", "is %.20q, it is 80, 1000 or off", s)
}

// Tier is how many different customers an account may reach outside their windows in TierSpan; 0: there is no limit, and nobody counts.
// A number has one, what it is held against is what all numbers of its account that have one have reached.
type Tier int

// The tiers.
const (
	Tier250       Tier = 250
	Tier2K        Tier = 2_000
	Tier10K       Tier = 10_000
	Tier100K      Tier = 100_000
	TierUnlimited Tier = -1 // without limit, but counted: see Limits.Raised
)

// How long a customer counts who was reached.
const (
	TierSpan  = 24 * time.Hour      // against the limit
	TierWeek  = 7 * 24 * time.Hour  // for the next tier
	TierMonth = 30 * 24 * time.Hour // for the first step up
)

// tiers are the steps, lowest first, and how each is called.
var tiers = []struct {
	tier Tier
	name string
}{{Tier250, "250"}, {Tier2K, "2k"}, {Tier10K, "10k"}, {Tier100K, "100k"}, {TierUnlimited, "unlimited"}}

func (t Tier) String() string {
	for _, step := range tiers {
		if step.tier == t {
			return step.name
		}
	}
	return off
}

// ParseTier reads a tier as an operator writes it, or as the Cloud API does.
func ParseTier(s string) (Tier, error) {
	name := strings.TrimPrefix(strings.ToLower(s), "tier_")
	for _, step := range tiers {
		if name == step.name || step.tier > 0 && name == fmt.Sprint(int(step.tier)) {
			return step.tier, nil
		}
	}
	if name == off {
		return 0, nil
	}
	return 0, fault(ReasonInvalid, "tier", "is %.20q, it is 250, 2k, 10k, 100k, unlimited or off", s)
}

// Code is how the Cloud API calls a tier. A number without one is limited by nothing.
func (t Tier) Code() string {
	if t == 0 {
		t = TierUnlimited
	}
	return "TIER_" + strings.ToUpper(t.String())
}

// Allows reports whether one more customer may be reached when so many have been.
func (t Tier) Allows(reached int) bool { return t <= 0 || reached < int(t) }

// Reach is how many different customers an account has reached outside their windows.
type Reach struct {
	Day, Week int // in TierSpan and TierWeek
	Delivered int // in TierMonth, of those to whom a message was delivered
}

// When a number is given more (contract Cloud API, section 4).
const (
	firstStep   = 2_000   // customers in TierMonth, to whom something was delivered, that lead from the lowest tier to the next
	highCallers = 100_000 // customers in TierSpan, without a limit, that lead to ThroughputHigh
)

// Raised returns the limits that follow from what was reached, one step up at most. Who is taken badly stays where they are.
func (l Limits) Raised(r Reach, q TemplateScore) Limits {
	if q == ScoreRed {
		return l
	}
	switch {
	case l.Tier == Tier250 && r.Delivered >= firstStep, l.Tier > Tier250 && 2*r.Week >= int(l.Tier):
		l.Tier = l.Tier.next()
	case l.Tier == TierUnlimited && l.Throughput == ThroughputStandard && r.Day >= highCallers:
		l.Throughput = ThroughputHigh
	}
	return l
}

// Trusted returns the limits of a number whose business has been verified: the lowest tier is for those that are not.
func (l Limits) Trusted() Limits {
	if l.Tier == Tier250 {
		l.Tier = l.Tier.next()
	}
	return l
}

// UpgradeTime is how long a number sends nothing before its throughput rises by itself (contract Cloud API, section 4).
const UpgradeTime = time.Minute

func (t Tier) next() Tier {
	for i, step := range tiers[:len(tiers)-1] {
		if step.tier == t {
			return tiers[i+1].tier
		}
	}
	return t
}

// LimitChange is what a number is told of its limits.
type LimitChange struct {
	Was Limits `json:"was"`
	Now Limits `json:"now"`
}

// Upgraded reports whether the throughput has risen to the high level, and nothing else that anybody is told of has changed.
func (c *LimitChange) Upgraded() bool {
	return c.Was.Tier == c.Now.Tier && c.Was.Throughput.Level() != LevelHigh && c.Now.Throughput.Level() == LevelHigh
}

// News reports whether the number is told: of another tier, or of more throughput. That nobody counts any more is no tier.
func (c *LimitChange) News() bool { return c.Was.Tier != c.Now.Tier && c.Now.Tier != 0 || c.Upgraded() }
