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

// shapes lists every table, in no particular order.
func shapes() []*shape {
	return []*shape{&metas.shape, &counters.shape, &accounts.shape, &numbers.shape, &users.shape, &logins.shape, &apiKeys.shape,
		&conversations.shape, &latests.shape, &handles.shape, &messages.shape, &jobs.shape, &events.shape, &endpoints.shape, &deliveries.shape,
		&medias.shape, &uploads.shape, &states.shape, &refs.shape, &idempotencies.shape, &templates.shape, &products.shape,
		&contacts.shape, &mediaFiles.shape, &providers.shape, &photos.shape, &packs.shape, &templateDays.shape, &templateHeld.shape, &policies.shape,
		&audits.shape, &qrCodes.shape, &uploadSessions.shape, &flows.shape, &traffics.shape}
}

func one[K any](k K) []any    { return []any{k} }
func namedArgs(k named) []any { return []any{k.number, k.name} }
func spotArgs(k spot) []any   { return []any{k.owner, k.seq} }
