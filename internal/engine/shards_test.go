package engine_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
)

// slow takes a second for each packet, and notes how many it had at a time.
type slow struct {
	*networktest.Fake
	now, most atomic.Int32
}

func (s *slow) Transmit(ctx context.Context, p network.Packet) error {
	for n := s.now.Add(1); n > s.most.Load(); {
		s.most.Store(n)
	}
	time.Sleep(time.Second)
	s.now.Add(-1)
	return s.Fake.Transmit(ctx, p)
}

// Shards are how many customers of a number are worked at once; nothing is left behind.
func TestShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &slow{Fake: networktest.NewFake()}
		v := newEnvWith(t, net.Fake, net)
		err := v.e.ChangeSettings(t.Context(), v.id, func(s *kabar.Settings, _ *string) error { s.Shards = 4; return nil })
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if _, _, err := v.send(engine.Request{To: fmt.Sprint(34600111000 + i), Content: &kabar.Template{Name: "hello", Language: kabar.Language{Code: "en"},
				Components: []kabar.Component{{Type: kabar.ComponentBody, Parameters: []kabar.Parameter{{Type: kabar.ParameterText, Text: "x"}}}}}}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(30 * time.Second)
		settle()
		if got := len(v.net.Messages()); got != 20 || net.most.Load() != 4 {
			t.Errorf("%d messages, %d at a time, want 20 and 4", got, net.most.Load())
		}
	})
}
