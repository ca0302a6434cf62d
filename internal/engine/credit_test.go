package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

// utilityCard prices utility everywhere, and what is free-form behind a number's first two messages a month.
func utilityCard(t testing.TB) *kabar.RateCard {
	t.Helper()
	c, err := kabar.NewRateCard([]kabar.Rate{
		{From: "1999-01-01", Currency: "USD", Market: "*", Category: kabar.CategoryUtility, Cost: 10_000, Window: true},
		{From: "1999-01-01", Currency: "USD", Market: "ES", Category: kabar.CategoryUtility, Cost: 30_000},
		{From: "1999-01-01", Currency: "USD", Market: "*", Category: kabar.CategoryService, Cost: 5_000, Window: true, Free: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// priced is an env in which messages cost, and the account has so much.
func priced(t testing.TB, limit kabar.Money) *env {
	t.Helper()
	v := newEnv(t)
	if err := v.e.Accounts().ImportRates(t.Context(), utilityCard(t), "test"); err != nil {
		t.Fatal(err)
	}
	v.draw(limit)
	return v
}

func (v *env) draw(limit kabar.Money) {
	v.t.Helper()
	if _, err := v.e.Accounts().Draw(v.t.Context(), v.account(), limit, "test"); err != nil {
		v.t.Fatal(err)
	}
}

// money returns what is reserved and spent.
func (v *env) money() string {
	v.t.Helper()
	c, err := v.e.Accounts().Credit(v.t.Context(), v.account())
	if err != nil {
		v.t.Fatal(err)
	}
	return fmt.Sprintf("reserved %s, spent %s, available %s", c.Reserved, c.Spent, c.Available())
}

func (v *env) wantMoney(want string) {
	v.t.Helper()
	if got := v.money(); got != want {
		v.t.Errorf("%s; want %s", got, want)
	}
}

// wantLedger compares what the ledger comes to with the line of credit, to the last digit.
func (v *env) wantLedger() {
	v.t.Helper()
	entries, err := v.e.Accounts().Ledger(v.t.Context(), v.account(), store.LedgerQuery{})
	if err != nil {
		v.t.Fatal(err)
	}
	var limit, reserved, spent kabar.Money
	held := map[kabar.MessageID]kabar.Money{}
	for _, e := range entries {
		switch e.Kind {
		case kabar.LedgerAllocate:
			limit += e.Amount
		case kabar.LedgerReserve:
			if _, twice := held[e.Message]; twice || e.Message == 0 || e.Rate == "" {
				v.t.Errorf("a second reservation, or one of nothing: %+v", e)
			}
			held[e.Message], reserved = e.Amount, reserved+e.Amount
		case kabar.LedgerSettle, kabar.LedgerRelease:
			if held[e.Message] != e.Amount || e.Amount == 0 {
				v.t.Errorf("%+v ends a reservation of %s", e, held[e.Message])
			}
			if held[e.Message], reserved = 0, reserved-e.Amount; e.Kind == kabar.LedgerSettle {
				spent += e.Amount
			}
		}
	}
	c, err := v.e.Accounts().Credit(v.t.Context(), v.account())
	if err != nil {
		v.t.Fatal(err)
	}
	if c.Limit != limit || c.Reserved != reserved || c.Spent != spent || c.Available()+c.Reserved+c.Spent != c.Limit {
		v.t.Errorf("the line is %+v; the ledger says limit %s, reserved %s, spent %s", c, limit, reserved, spent)
	}
}

func TestAMessageIsReservedThenSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 100_000)
		ref, err := v.template(ana)
		if err != nil {
			t.Fatal(err)
		}
		v.wantMoney("reserved 0.03, spent 0.00, available 0.07") // Spain has a price of its own
		synctest.Wait()
		v.receipt(ana, kabar.Delivered, ref)
		v.wantMoney("reserved 0.00, spent 0.03, available 0.07")
		v.receipt(ana, kabar.Read, ref)
		v.receipt(ana, kabar.Delivered, ref)
		v.wantMoney("reserved 0.00, spent 0.03, available 0.07")
		v.wantLedger()
		v.restart()
		v.wantMoney("reserved 0.00, spent 0.03, available 0.07")
	})
}

// TestWhatFailsCostsNothing: a message that expires, or is refused by the network, gives back what it has reserved.
func TestWhatFailsCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 100_000)
		ref, err := v.template(ana)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Expired: &kabar.Expired{Refs: []string{wire(ref)}}})
		v.wantMoney("reserved 0.00, spent 0.00, available 0.10")
		v.receipt(ana, kabar.Delivered, ref) // too late: it has failed
		v.wantMoney("reserved 0.00, spent 0.00, available 0.10")
		v.wantLedger()
	})
}

func TestAtTheLimitNothingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 65_000)
		for range 3 {
			if _, err := v.template(ana); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		v.wantTold("status sent", "credit", "status sent", "credit", "status failed "+string(kabar.ReasonPayment))
		v.wantMoney("reserved 0.06, spent 0.00, available 0.005")
		v.draw(200_000)
		if _, err := v.template(ana); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		v.wantMoney("reserved 0.09, spent 0.00, available 0.11")
		v.wantLedger()
	})
}

// TestALoweredLimitKeepsBackWhatWaits: what is reserved already does not leave while the line is overdrawn.
func TestALoweredLimitKeepsBackWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 100_000)
		v.net.SetOffline(true)
		if _, err := v.template(ana); err != nil {
			t.Fatal(err)
		}
		v.draw(20_000)
		v.wantMoney("reserved 0.03, spent 0.00, available -0.01")
		v.net.SetOffline(false)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := v.told(); got[len(got)-1] != "status failed "+string(kabar.ReasonPayment) {
			t.Errorf("told %q", got)
		}
		v.wantMoney("reserved 0.00, spent 0.00, available 0.02")
		v.wantLedger()
	})
}

// TestALoweredLimitKeepsBackNothingThatHasLeft: what a handset asks for again goes out again, whatever has become of the line.
func TestALoweredLimitKeepsBackNothingThatHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 100_000)
		ref, err := v.template(ana)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		v.draw(20_000)
		before := len(v.net.Messages())
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Retry: &kabar.Retry{Refs: []string{wire(ref)}}})
		settle()
		if n := len(v.net.Messages()) - before; n != 1 {
			t.Errorf("%d messages have gone out again, want 1; told %q", n, v.told())
		}
		v.wantMoney("reserved 0.03, spent 0.00, available -0.01")
		v.wantLedger()
	})
}

// TestFreeMessagesOfAMonth: two are free, in any market, and the next month two more.
func TestFreeMessagesOfAMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := priced(t, 100_000)
		for range 3 {
			v.hear(ana, "hi")
			v.text(ana, "hello")
			synctest.Wait()
		}
		v.wantMoney("reserved 0.005, spent 0.00, available 0.095")
		v.skew.Store(int64(31 * 24 * time.Hour))
		v.hear(ana, "hi")
		v.text(ana, "hello")
		v.wantMoney("reserved 0.005, spent 0.00, available 0.095")
		v.wantLedger()
	})
}

// TestAFallbackIsPaidAsWhatItIs: a text was accepted free in an open window, and goes out as a template in a closed one.
func TestAFallbackIsPaidAsWhatItIs(t *testing.T) {
	for _, c := range []struct {
		limit kabar.Money
		want  string
	}{{100_000, "reserved 0.03, spent 0.00, available 0.07"}, {20_000, "reserved 0.00, spent 0.00, available 0.02"}} {
		synctest.Test(t, func(t *testing.T) {
			v := priced(t, c.limit)
			v.hear(ana, "hi")
			v.net.SetOffline(true)
			if _, _, err := v.send(engine.Request{To: ana, Content: &kabar.Text{Body: "soon"}, IfClosed: greeting("hello"), TTL: 72 * time.Hour}); err != nil {
				t.Fatal(err)
			}
			v.wantMoney("reserved 0.00, spent 0.00, available " + c.limit.String())
			v.skew.Store(int64(25 * time.Hour))
			v.net.SetOffline(false)
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			v.wantMoney(c.want)
			v.wantLedger()
			if told := v.told(); (told[len(told)-1] == "status failed "+string(kabar.ReasonPayment)) != (c.limit < 30_000) {
				t.Errorf("with %s: told %q", c.limit, told)
			}
		})
	}
}

// TestAnyHistoryBalances plays histories of sends, receipts, failures, limits and restarts, by seed, and adds up the ledger.
func TestAnyHistoryBalances(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			v, random := priced(t, 150_000), rand.New(rand.NewPCG(seed, 0))
			var refs []uint64
			for range 60 {
				customer := []string{ana, "628222000111", "15550100099"}[random.IntN(3)]
				switch random.IntN(8) {
				case 0, 1, 2:
					if ref, err := v.template(customer); err != nil {
						t.Fatal(err)
					} else {
						refs = append(refs, ref)
					}
				case 3:
					v.hear(customer, "hi")
					refs = append(refs, v.text(customer, "hello"))
				case 4, 5:
					if len(refs) > 0 {
						s := []kabar.Status{kabar.Delivered, kabar.Read, kabar.Played}[random.IntN(3)]
						v.receipt(customer, s, refs[random.IntN(len(refs))])
					}
				case 6:
					if len(refs) > 0 {
						v.deliver(kabar.Update{From: kabar.Customer{WaID: customer}, At: v.now(), Expired: &kabar.Expired{Refs: []string{wire(refs[random.IntN(len(refs))])}}})
					}
				case 7:
					if v.draw(kabar.Money(random.IntN(300_000))); random.IntN(4) == 0 {
						v.restart()
					}
				}
				if random.IntN(2) == 0 {
					synctest.Wait()
				}
			}
			synctest.Wait()
			if v.wantLedger(); t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		})
	}
}
