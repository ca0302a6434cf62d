package bench

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{1, 1, 1000}, 1}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
	if !math.IsNaN(median(nil)) || !math.IsNaN(least(nil)) || !math.IsNaN(most(nil)) {
		t.Error("of nothing there is no median, least or most")
	}
	values := []float64{3, 1, 2}
	if median(values); values[0] != 3 {
		t.Error("median has reordered what it was given")
	}
	if least(values) != 1 || most(values) != 3 {
		t.Errorf("least %v, most %v", least(values), most(values))
	}
}

func TestPercentile(t *testing.T) {
	times := make([]time.Duration, 100)
	for i := range times {
		times[i] = time.Duration(100 - i)
	}
	for p, want := range map[float64]time.Duration{0: 1, 50: 50, 99: 99, 99.5: 100, 100: 100} {
		if got := percentile(times, p); got != want {
			t.Errorf("the %v-th percentile of 1 to 100 is %d, want %d", p, got, want)
		}
	}
	if percentile(nil, 50) != 0 {
		t.Error("of nothing the percentile is 0")
	}
	if got := percentile([]time.Duration{7}, 99); got != 7 {
		t.Errorf("of one value: %d", got)
	}
}

// So many of the values are not above a percentile, and no smaller value would do.
func TestPercentileByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 50), func(n int) time.Duration { return time.Duration(n) }), 1, 60).Draw(t, "times")
		p := float64(rapid.IntRange(1, 100).Draw(t, "p"))
		got := percentile(times, p)
		notAbove, below := 0, 0
		for _, v := range times {
			if v <= got {
				notAbove++
			}
			if v < got {
				below++
			}
		}
		need := p / 100 * float64(len(times))
		if float64(notAbove) < need || float64(below) >= need {
			t.Fatalf("percentile %v of %v: %d", p, times, got)
		}
	})
}

func TestSeries(t *testing.T) {
	var product, ceiling series
	for i, n := range []int64{100, 300, 200} {
		product.add(window{count: n, took: time.Second, cpu: 10 * time.Millisecond, times: []time.Duration{time.Duration(i)}})
		ceiling.add(window{count: 2 * n, took: time.Second})
	}
	if got := product.perSecond(); got != 200 {
		t.Errorf("%v a second, want the median 200", got)
	}
	if got := product.cpuMicros(); got != 50 {
		t.Errorf("%v us, want 30 ms for 600 things", got)
	}
	if len(product.times) != 3 {
		t.Errorf("%d times", len(product.times))
	}
	if got := ratios(&product, &ceiling); len(got) != 3 || median(got) != 0.5 {
		t.Errorf("ratios %v", got)
	}
	if !math.IsNaN(ceiling.cpuMicros()) {
		t.Error("an unknown processor time is not zero")
	}
	if got := (window{count: 5}).rate(); got != 0 {
		t.Errorf("no time, but %v a second", got)
	}
	ceiling.rates[1] = 0
	if got := ratios(&product, &ceiling); len(got) != 2 {
		t.Errorf("a ratio to nothing: %v", got)
	}
}
