package bench

import (
	"math"
	"slices"
	"time"
)

// median returns the middle one of some values; of an even number the mean of the two in the middle, of none NaN.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// percentile returns the smallest of some times that p percent of them do not exceed; of none 0. It sorts them.
func percentile(times []time.Duration, p float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	i := int(math.Ceil(p/100*float64(len(times)))) - 1
	return times[min(max(i, 0), len(times)-1)]
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// series are the rounds of one contender.
type series struct {
	rates []float64 // things a second
	times []time.Duration
	cpu   time.Duration // that the process has used, over all rounds
	count int64         // things, over all rounds
}

func (s *series) add(w window) {
	s.rates = append(s.rates, w.rate())
	s.times = append(s.times, w.times...)
	s.cpu += w.cpu
	s.count += w.count
}

func (s *series) perSecond() float64 { return median(s.rates) }

// cpuMicros returns the processor time of one thing in microseconds; NaN where the system does not tell.
func (s *series) cpuMicros() float64 {
	if s.cpu == 0 || s.count == 0 {
		return math.NaN()
	}
	return float64(s.cpu) / float64(time.Microsecond) / float64(s.count)
}

// window is what happened within one round.
type window struct {
	count int64
	took  time.Duration
	cpu   time.Duration
	times []time.Duration // how long each thing took; may be nil
}

func (w window) rate() float64 {
	if w.took <= 0 {
		return 0
	}
	return float64(w.count) / w.took.Seconds()
}

// ratios compares two contenders round by round: those of one round ran next to each other, so what disturbed the machine
// has disturbed both.
func ratios(product, ceiling *series) []float64 {
	var out []float64
	for i := range min(len(product.rates), len(ceiling.rates)) {
		if ceiling.rates[i] > 0 {
			out = append(out, product.rates[i]/ceiling.rates[i])
		}
	}
	return out
}

// least and most are the ends of some values; of none NaN.
func least(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Min(values)
}

func most(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return slices.Max(values)
}
