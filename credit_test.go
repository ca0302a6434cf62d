package kabar_test

import (
	"testing"

	"kabar"
)

func TestAnAccountIsWarnedOnceOfEach(t *testing.T) {
	c := &kabar.Credit{Open: true, Spent: 1000}
	if w := c.Warn(false); w != 0 {
		t.Fatalf("without a line: warned at %d", w)
	}
	c.Spent = 0
	c.Draw(100)
	for _, step := range []struct {
		reserve kabar.Money
		refused bool
		want    int
	}{{79, false, 0}, {1, false, 80}, {1, false, 0}, {14, false, 95}, {0, true, 100}, {0, true, 0}} {
		c.Reserved += step.reserve
		if got := c.Warn(step.refused); got != step.want {
			t.Errorf("%s of %s reserved: warned at %d, want %d", c.Reserved, c.Limit, got, step.want)
		}
	}
	if c.Draw(1000); c.Warned != 0 {
		t.Errorf("with more, %d is still told", c.Warned)
	}
	if c.Draw(10); !c.Overdrawn() || c.Available() != -85 || c.Covers(1) || !c.Covers(0) {
		t.Errorf("a limit below what is reserved: %+v", c)
	}
}
