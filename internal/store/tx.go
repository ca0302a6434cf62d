package store

// Tx is what an operation sees of the store: the committed rows and what the operations before it in the batch have done.
// Its methods may be called on the writer's goroutine only, inside the function given to DB.Write. Methods that are only
// hints (they begin with Want) announce rows; the others load what was not announced, one by one.
type Tx struct {
	b *batch

	meta          *overlay[string, metaRow]
	counters      *overlay[string, counterRow]
	accounts      *overlay[int64, accountRow]
	numbers       *overlay[int64, numberRow]
	users         *overlay[int64, userRow]
	logins        *overlay[string, loginRow]
	apiKeys       *overlay[string, keyRow]
	conversations *overlay[int64, conversationRow]
	handles       *overlay[named, handleRow]
	messages      *overlay[int64, messageRow]
	jobs          *overlay[int64, jobRow]
	events        *overlay[spot, eventRow]
	endpoints     *overlay[int64, endpointRow]
	deliveries    *overlay[spot, deliveryRow]
	media         *overlay[int64, mediaRow]
	uploads       *overlay[named, uploadRow]
	states        *overlay[named, stateRow]
	refs          *overlay[named, refRow]
	answers       *overlay[requestKey, idempotencyRow]
	templates     *overlay[templateKey, templateRow]
}

func newTx(b *batch) *Tx {
	return &Tx{
		b:             b,
		meta:          newOverlay(b, metas),
		counters:      newOverlay(b, counters),
		accounts:      newOverlay(b, accounts),
		numbers:       newOverlay(b, numbers),
		users:         newOverlay(b, users),
		logins:        newOverlay(b, logins),
		apiKeys:       newOverlay(b, apiKeys),
		conversations: newOverlay(b, conversations),
		handles:       newOverlay(b, handles),
		messages:      newOverlay(b, messages),
		jobs:          newOverlay(b, jobs),
		events:        newOverlay(b, events),
		endpoints:     newOverlay(b, endpoints),
		deliveries:    newOverlay(b, deliveries),
		media:         newOverlay(b, medias),
		uploads:       newOverlay(b, uploads),
		states:        newOverlay(b, states),
		refs:          newOverlay(b, refs),
		answers:       newOverlay(b, idempotencies),
		templates:     newOverlay(b, templates),
	}
}

// keyBlock is how many keys are reserved at once. A crash wastes what is left of a block, nothing else.
const keyBlock = 1024

const keyCounter = "key"

// NewKey returns a key that no row has had, greater than all before it.
func (tx *Tx) NewKey() (int64, error) {
	db := tx.b.db
	if db.nextKey == db.endKey {
		row, err := tx.counters.get(keyCounter)
		if err != nil {
			return 0, err
		}
		if row == nil {
			row = &counterRow{name: keyCounter, next: 1}
		}
		db.nextKey = max(row.next, db.endKey) // above what was handed out in a transaction that has been rolled back
		db.endKey = db.nextKey + keyBlock
		row.next = db.endKey
		if err := tx.counters.put(*row); err != nil {
			return 0, err
		}
		// The reservation outlives this operation: others of the batch use the block even if this one is refused.
		tx.b.undo = tx.b.undo[:len(tx.b.undo)-1]
	}
	db.nextKey++
	return db.nextKey - 1, nil
}

// recount gives up the reserved block, whose reservation may have been rolled back.
func (db *DB) recount() { db.nextKey = db.endKey }

// After has f called once the batch is committed, on the writer's goroutine: it must be quick. It is not called when the
// operation or the batch fails. When the answer to the commit is lost and the database away, it is called as soon as the
// commit is found, which is after Write has returned its UnavailableError.
func (tx *Tx) After(f func()) { tx.b.after = append(tx.b.after, f) }
