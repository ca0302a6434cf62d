package kabar_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
)

var limitsBegin = time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)

// A meter says what counting the messages of the last second says, whatever comes when.
func TestAMeterIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		meter, now := kabar.NewMeter(kabar.Throughput(limit)), limitsBegin
		var all []time.Time
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 100, 999, 1000, 2500}).Draw(t, "ms")) * time.Millisecond)
			recent := 0
			for _, at := range all {
				if now.Sub(at) < time.Second {
					recent++
				}
			}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0: // a customer's
				meter.Count(now)
				all = append(all, now)
			case 1: // refused for another reason
				if wait := meter.Take(now); wait == 0 {
					meter.Return()
				} else if recent < limit {
					t.Fatalf("%d of %d in the last second, and none is allowed", recent, limit)
				}
			default:
				wait := meter.Take(now)
				if (wait == 0) != (recent < limit) {
					t.Fatalf("%d of %d in the last second: wait is %s", recent, limit, wait)
				}
				if wait == 0 {
					all = append(all, now)
					continue
				}
				before, then := 0, 0 // the time that is told is the first at which there may be one
				for _, at := range all {
					if now.Add(wait-1).Sub(at) < time.Second {
						before++
					}
					if now.Add(wait).Sub(at) < time.Second {
						then++
					}
				}
				if before < limit || then >= limit {
					t.Fatalf("%s is not when there may be one: before it there are %d, then %d, of %d", wait, before, then, limit)
				}
			}
		}
	})
}

// The clock may be set back: nobody waits for more than a second because of it.
func TestAMeterOutlivesTheClock(t *testing.T) {
	m := kabar.NewMeter(1)
	m.Count(limitsBegin)
	if wait := m.Take(limitsBegin.Add(-time.Hour)); wait != 0 {
		t.Errorf("after the clock was set back it is %s", wait)
	}
	var p kabar.Pair
	p.Take(limitsBegin)
	if wait := p.Take(limitsBegin.Add(-time.Hour)); wait != 0 {
		t.Errorf("to one customer it is %s", wait)
	}
}

// The pair rate against the rule in its own words: a burst is the messages within six seconds of its first, up to 45; the next one comes
// when each of them has had six seconds.
func TestThePairRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p kabar.Pair
		now := limitsBegin
		var burst []time.Time
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, 10, 1000, 5999, 6000, 60_000}).Draw(t, "ms")) * time.Millisecond)
			paid := len(burst) == 0 || !now.Before(burst[0].Add(time.Duration(len(burst))*6*time.Second))
			may := paid || now.Sub(burst[0]) < 6*time.Second && len(burst) < 45
			wait := p.Take(now)
			if (wait == 0) != may {
				t.Fatalf("message %d of a burst after %s: wait is %s", len(burst)+1, now.Sub(burst[0]), wait)
			}
			if paid {
				burst = nil
			}
			if may {
				burst = append(burst, now)
			} else if first := burst[0].Add(time.Duration(len(burst)) * 6 * time.Second); !now.Add(wait).Equal(first) {
				t.Fatalf("wait is %s, it is until %s", wait, first)
			}
		}
	})
}

// The contract's own example: after a burst of 20 one waits about two minutes.
func TestABurstIsBorrowed(t *testing.T) {
	var p kabar.Pair
	for i := range 20 {
		if wait := p.Take(limitsBegin); wait != 0 {
			t.Fatalf("message %d waits %s", i, wait)
		}
	}
	if wait := p.Take(limitsBegin.Add(6 * time.Second)); wait != 114*time.Second {
		t.Errorf("after 20 it is %s", wait)
	}
	var full kabar.Pair
	for range kabar.PairBurst {
		full.Take(limitsBegin)
	}
	if wait := full.Take(limitsBegin); wait != 270*time.Second {
		t.Errorf("after 45 it is %s", wait)
	}
	if wait := full.Take(limitsBegin.Add(270 * time.Second)); wait != 0 {
		t.Errorf("after 45 and their time it is %s", wait)
	}
}

func TestLimitsRise(t *testing.T) {
	for _, c := range []struct {
		tier    kabar.Tier
		level   kabar.Throughput
		reach   kabar.Reach
		quality kabar.TemplateScore
		want    string
	}{
		{kabar.Tier250, 80, kabar.Reach{Day: 250, Week: 1750, Delivered: 1999}, kabar.ScoreGreen, "80 250"},
		{kabar.Tier250, 80, kabar.Reach{Delivered: 2000}, kabar.ScoreGreen, "80 2k"},
		{kabar.Tier250, 80, kabar.Reach{Delivered: 2000}, kabar.ScoreUnknown, "80 2k"},
		{kabar.Tier250, 80, kabar.Reach{Delivered: 2000}, kabar.ScoreRed, "80 250"},
		{kabar.Tier2K, 80, kabar.Reach{Week: 999, Delivered: 5000}, kabar.ScoreGreen, "80 2k"},
		{kabar.Tier2K, 80, kabar.Reach{Week: 1000}, kabar.ScoreYellow, "80 10k"},
		{kabar.Tier2K, 80, kabar.Reach{Week: 50_000}, kabar.ScoreGreen, "80 10k"}, // one step
		{kabar.Tier10K, 0, kabar.Reach{Week: 5000}, kabar.ScoreGreen, "off 100k"},
		{kabar.Tier100K, 80, kabar.Reach{Week: 50_000}, kabar.ScoreGreen, "80 unlimited"},
		{kabar.TierUnlimited, 80, kabar.Reach{Day: 99_999}, kabar.ScoreGreen, "80 unlimited"},
		{kabar.TierUnlimited, 80, kabar.Reach{Day: 100_000}, kabar.ScoreYellow, "1000 unlimited"},
		{kabar.TierUnlimited, 80, kabar.Reach{Day: 100_000}, kabar.ScoreRed, "80 unlimited"},
		{kabar.TierUnlimited, 0, kabar.Reach{Day: 100_000}, kabar.ScoreGreen, "off unlimited"},
		{0, 80, kabar.Reach{Day: 100_000, Week: 100_000, Delivered: 100_000}, kabar.ScoreGreen, "80 off"},
	} {
		got := kabar.Limits{Throughput: c.level, Tier: c.tier}.Raised(c.reach, c.quality)
		if is := fmt.Sprint(got.Throughput, " ", got.Tier); is != c.want {
			t.Errorf("%s with %s, %+v and %s becomes %s, not %s", c.tier, c.level, c.reach, c.quality, is, c.want)
		}
	}
}

func TestLimitsAreReadAsTheyAreWritten(t *testing.T) {
	for in, want := range map[string]kabar.Tier{"250": kabar.Tier250, "2k": kabar.Tier2K, "2K": kabar.Tier2K, "TIER_10K": kabar.Tier10K, "100000": kabar.Tier100K,
		"Unlimited": kabar.TierUnlimited, "off": 0} {
		if got, err := kabar.ParseTier(in); got != want || err != nil {
			t.Errorf("tier %q: %v, %v", in, got, err)
		}
	}
	for in, want := range map[string]kabar.Throughput{"80": 80, "1000": 1000, "off": 0, "0": 0} {
		if got, err := kabar.ParseThroughput(in); got != want || err != nil {
			t.Errorf("throughput %q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "-1", "81", "3k", "TIER_50", "1e3", "80 "} {
		if got, err := kabar.ParseTier(in); err == nil {
			t.Errorf("tier %q is %v", in, got)
		}
		if got, err := kabar.ParseThroughput(in); err == nil {
			t.Errorf("throughput %q is %v", in, got)
		}
	}
	for tier, want := range map[kabar.Tier]string{kabar.Tier250: "TIER_250", kabar.Tier2K: "TIER_2K", kabar.TierUnlimited: "TIER_UNLIMITED", 0: "TIER_UNLIMITED"} {
		if got := tier.Code(); got != want {
			t.Errorf("%s is %s, not %s", tier, got, want)
		}
	}
}
