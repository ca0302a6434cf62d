package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"

	"kabar/internal/store"
)

// What is counted of failed logins lies in the store, too, so that a restart forgives nothing. The counting itself is done in
// memory (limiter.go), which is told at the start what the store has.
const (
	throttledName    = "name/"    // then the name as throttleKey has it
	throttledAddress = "address/" // then the network
)

// throttleKey is what a name is counted as. It is no name that a reader of the database could learn: somebody may have typed a
// password in its place.
func (a *Auth) throttleKey(name string) string {
	h := hmac.New(sha256.New, a.signing)
	h.Write([]byte("throttle/" + name))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// remember stores what is counted of a login that has failed. That it cannot be stored is no reason to answer anything else:
// this process counts on.
func (a *Auth) remember(ctx context.Context, name string, from netip.Addr) {
	rows := a.limiter.counted(name, from)
	_ = a.db.Write(store.WithRecord(ctx, nil), nil, func(tx *store.Tx) error {
		for _, t := range rows {
			tx.SetThrottle(t)
		}
		return nil
	})
	_, _ = a.db.SweepThrottles(store.WithRecord(ctx, nil), a.now()) // who fails takes out what is over; the next one tries again
}

// forgive stores that a name's failures count no more.
func (a *Auth) forgive(ctx context.Context, name string) {
	_ = a.db.Write(store.WithRecord(ctx, nil), nil, func(tx *store.Tx) error { // what stays ends by itself
		tx.RemoveThrottle(throttledName + name)
		return nil
	})
}

// recall tells the limiter what the store has.
func (a *Auth) recall(ctx context.Context) error {
	all, err := a.db.Throttles(ctx, a.now(), 2*limiterSize)
	if err != nil {
		return err
	}
	for _, t := range all {
		a.limiter.recall(t)
	}
	return nil
}

// counted returns the failures of a name and of an address as the store keeps them.
func (l *limiter) counted(name string, from netip.Addr) []store.Throttle {
	l.mu.Lock()
	defer l.mu.Unlock()
	network := networkOf(from)
	var all []store.Throttle
	for key, f := range map[string]*failures{throttledName + name: l.names[name], throttledAddress + network.String(): l.addresses[network]} {
		if n := f.count(l.now()); n > 0 {
			all = append(all, store.Throttle{Name: key, Failures: n, Last: f.last, Ends: f.last.Add(f.pause() + longestWait)})
		}
	}
	return all
}

// recall counts what was counted before.
func (l *limiter) recall(t store.Throttle) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &failures{n: t.Failures, last: t.Last}
	if name, ok := strings.CutPrefix(t.Name, throttledName); ok {
		*slot(l.names, name) = *f
		return
	}
	network, err := netip.ParsePrefix(strings.TrimPrefix(t.Name, throttledAddress))
	if err != nil { // of the invalid address, which is one as well
		network = netip.Prefix{}
	}
	*slot(l.addresses, network) = *f
}
