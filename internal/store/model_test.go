package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestStateIsACompareAndSet compares batches of changes of a driver's entries with a map.
func TestStateIsACompareAndSet(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		type entry struct {
			value   string
			version int64
		}
		run := 0
		rapid.Check(t, func(r *rapid.T) {
			run++
			names := []string{fmt.Sprint("a", run), fmt.Sprint("b", run), fmt.Sprint("c", run)}
			model := map[string]entry{}
			for range rapid.IntRange(1, 4).Draw(r, "batches") {
				var ops []storetest.Op
				var want []error
				for range rapid.IntRange(1, 8).Draw(r, "operations") {
					name := rapid.SampledFrom(names).Draw(r, "name")
					version := model[name].version + rapid.SampledFrom([]int64{0, 0, 0, 1, -1}).Draw(r, "off")
					value := rapid.SampledFrom([]string{"", "x", "y", "remove"}).Draw(r, "value")
					fails := rapid.IntRange(0, 5).Draw(r, "fails") == 0
					var hint func(*store.Tx)
					if rapid.Bool().Draw(r, "hint") {
						hint = func(tx *store.Tx) { tx.WantState(s.A.ID, name) }
					}
					ops = append(ops, storetest.Op{Hint: hint, Do: func(tx *store.Tx) error {
						if value == "remove" {
							return orRefused(tx.SetState(s.A, name, version, nil), fails)
						}
						return orRefused(tx.SetState(s.A, name, version, []byte(value)), fails)
					}})
					switch {
					case version != model[name].version:
						want = append(want, store.ErrStale)
					case fails:
						want = append(want, errRefused)
					case value == "remove":
						want = append(want, nil)
						delete(model, name)
					default:
						want = append(want, nil)
						model[name] = entry{value, version + 1}
					}
				}
				compareErrors(r, s.Batch(t, ops...), want)
				for _, name := range names {
					v, version, err := s.DB.State(t.Context(), s.A.ID, name)
					if got := (entry{string(v), version}); err != nil || got != model[name] {
						r.Fatalf("%s = %+v, %v; want %+v", name, got, err, model[name])
					}
				}
			}
		})
	})
}

func orRefused(err error, fails bool) error {
	if err == nil && fails {
		return errRefused
	}
	return err
}

func compareErrors(r *rapid.T, got, want []error) {
	for i := range want {
		if !errors.Is(got[i], want[i]) || (want[i] == nil && got[i] != nil) {
			r.Fatalf("operation %d: %v, want %v", i, got[i], want[i])
		}
	}
}

// step is one call of an operation of the overlay's property: what it does, and what a get must return.
type step struct {
	do    string // "get", "put", "del" or "want"
	key   store.RawKey
	value []byte // to put, or that a get returns
}

// errStatement stands for any StatementError.
var errStatement = errors.New("a statement failed")

// TestTheOverlayIsAMap runs batches of operations that get, put and remove rows of two tables, with random hints; some fail
// by themselves, some because of a statement. Every get, and what is stored afterwards, is compared with a map.
func TestTheOverlayIsAMap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.AddUser(&store.User{Name: "taken"}, s.Now) })
		run := 0
		rapid.Check(t, func(r *rapid.T) {
			run++
			keys := []store.RawKey{{Key: fmt.Sprint("m", run)}, {Key: fmt.Sprint("n", run)}, {Number: 1, Path: "p", Key: fmt.Sprint(run)},
				{Number: 1, Path: "q", Key: fmt.Sprint(run)}, {Number: 2, Path: "p", Key: fmt.Sprint(run)}}
			model := map[store.RawKey][]byte{}
			for range rapid.IntRange(1, 4).Draw(r, "batches") {
				var ops []storetest.Op
				var want []error
				for range rapid.IntRange(1, 6).Draw(r, "operations") {
					op, err := drawOp(r, s, keys, model)
					ops, want = append(ops, op), append(want, err)
				}
				got := s.Batch(t, ops...)
				for i, err := range got {
					if broken := new(store.StatementError); errors.As(err, &broken) {
						got[i] = errStatement
					}
				}
				compareErrors(r, got, want)
				for _, k := range keys {
					if v, err := s.DB.RawRead(t.Context(), k); err != nil || !bytes.Equal(v, model[k]) || (v == nil) != (model[k] == nil) {
						r.Fatalf("%v = %q, %v; want %q", k, v, err, model[k])
					}
				}
			}
		})
	})
}

// drawOp makes an operation, and applies it to the model if it is going to be committed.
func drawOp(r *rapid.T, s *storetest.Env, keys []store.RawKey, model map[store.RawKey][]byte) (storetest.Op, error) {
	view := maps.Clone(model) // what the operation sees
	var steps []step
	for range rapid.IntRange(1, 6).Draw(r, "steps") {
		st := step{do: rapid.SampledFrom([]string{"get", "put", "put", "del", "want"}).Draw(r, "do"), key: rapid.SampledFrom(keys).Draw(r, "key")}
		switch st.do {
		case "get":
			st.value = view[st.key]
		case "put":
			st.value = []byte(rapid.SampledFrom([]string{"", "x", "yy"}).Draw(r, "value"))
			view[st.key] = st.value
		case "del":
			delete(view, st.key)
		}
		steps = append(steps, st)
	}
	hints := rapid.SliceOf(rapid.SampledFrom(keys)).Draw(r, "hints")
	end := rapid.SampledFrom([]error{nil, nil, nil, errRefused, errStatement}).Draw(r, "end")
	if end == nil {
		clear(model)
		maps.Copy(model, view)
	}
	return storetest.Op{
		Hint: func(tx *store.Tx) {
			for _, k := range hints {
				tx.RawWant(k)
			}
		},
		Do: func(tx *store.Tx) error {
			for i, st := range steps {
				if err := st.run(tx); err != nil {
					return fmt.Errorf("step %d of %v: %w", i, steps, err)
				}
			}
			if errors.Is(end, errStatement) {
				return tx.AddUser(&store.User{Name: "taken"}, s.Now)
			}
			return end
		},
	}, end
}

func (st step) run(tx *store.Tx) error {
	switch st.do {
	case "want": // a hint that comes late must not bring back what is stored
		tx.RawWant(st.key)
		return nil
	case "put":
		return tx.RawPut(st.key, slices.Clone(st.value))
	case "del":
		return tx.RawDel(st.key)
	}
	got, err := tx.RawGet(st.key)
	if err == nil && (!bytes.Equal(got, st.value) || (got == nil) != (st.value == nil)) {
		err = fmt.Errorf("get %v = %q, want %q", st.key, got, st.value)
	}
	return err
}
