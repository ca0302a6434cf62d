package store

import "cmp"

// named is the key of rows that a number has under a text; spot that of rows in a log; and so on.
type (
	named struct {
		number int64
		name   string
	}
	spot       struct{ owner, seq int64 }
	requestKey struct {
		number    int64
		path, key string
	}
	productKey struct {
		account             int64
		catalog, retailerID string
	}
	templateKey struct {
		account        int64
		name, language string
	}
)

func orderNamed(a, b named) int {
	return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.name, b.name))
}

func orderSpot(a, b spot) int {
	return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.seq, b.seq))
}

func one[K any](k K) []any    { return []any{k} }
func namedArgs(k named) []any { return []any{k.number, k.name} }
func spotArgs(k spot) []any   { return []any{k.owner, k.seq} }
