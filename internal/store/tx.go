package store

// Tx is what an operation sees of the store: the committed rows and what the operations before it in the batch have done.
// Its methods may be called on the writer's goroutine only, inside the function given to DB.Write. Methods that are only
// hints (they begin with Want) announce rows; the others load what was not announced, one by one.
type Tx struct {
	b   *batch
	act act // of the running operation

	meta          *overlay[string, metaRow]
	counters      *overlay[string, counterRow]
	accounts      *overlay[int64, accountRow]
	numbers       *overlay[int64, numberRow]
	users         *overlay[int64, userRow]
	logins        *overlay[string, loginRow]
	apiKeys       *overlay[string, keyRow]
	conversations *overlay[int64, conversationRow]
	latest        *overlay[int64, latestRow]
	handles       *overlay[named, handleRow]
	messages      *overlay[int64, messageRow]
	jobs          *overlay[int64, jobRow]
	events        *overlay[spot, eventRow]
	endpoints     *overlay[int64, endpointRow]
	deliveries    *overlay[spot, deliveryRow]
	deliveryLog   *overlay[logKey, deliveryLogRow]
	attempts      *overlay[attemptKey, attemptRow]
	expired       *overlay[spot, expiredRow]
	replays       *overlay[int64, replayRow]
	media         *overlay[int64, mediaRow]
	uploads       *overlay[named, uploadRow]
	states        *overlay[named, stateRow]
	refs          *overlay[named, refRow]
	answers       *overlay[requestKey, idempotencyRow]
	templates     *overlay[templateKey, templateRow]
	products      *overlay[productKey, productRow]
	contacts      *overlay[named, contactRow]
	files         *overlay[named, fileRow]
	providers     *overlay[named, providerRow]
	photos        *overlay[int64, photoRow]
	packs         *overlay[int64, packRow]
	days          *overlay[dayKey, dayRow]
	held          *overlay[heldKey, heldRow]
	policies      *overlay[int64, policyRow]
	audits        *overlay[int64, auditRow]
	qrCodes       *overlay[named, qrCodeRow]
	sessions      *overlay[int64, uploadSessionRow]
	flows         *overlay[int64, flowRow]
	traffic       *overlay[trafficKey, trafficRow]
	credits       *overlay[int64, creditRow]
	ledger        *overlay[spot, ledgerRow]
	rateUses      *overlay[named, rateUseRow]
	rateCards     *overlay[string, rateCardRow]
	consents      *overlay[customerKey, consentRow]
	reaches       *overlay[int64, reachRow]
	reached       *overlay[customerKey, reachedRow]

	consentEntries *overlay[int64, consentEntryRow]
	throttles      *overlay[string, throttleRow]
	broadcasts     *overlay[int64, broadcastRow]
	recipients     *overlay[spot, recipientRow]
	erasures       *overlay[customerKey, erasureRow]
	retentions     *overlay[int64, retentionRow]
}

func newTx(b *batch) *Tx {
	return &Tx{
		b:             b,
		meta:          newOverlay(b, metas, nil),
		counters:      newOverlay(b, counters, b.db.kept.counters),
		accounts:      newOverlay(b, accounts, nil),
		numbers:       newOverlay(b, numbers, nil),
		users:         newOverlay(b, users, nil),
		logins:        newOverlay(b, logins, nil),
		apiKeys:       newOverlay(b, apiKeys, nil),
		conversations: newOverlay(b, conversations, b.db.kept.conversations),
		latest:        newOverlay(b, latests, b.db.kept.latest),
		handles:       newOverlay(b, handles, b.db.kept.handles),
		messages:      newOverlay(b, messages, b.db.kept.messages),
		jobs:          newOverlay(b, jobs, b.db.kept.jobs),
		events:        newOverlay(b, events, nil),
		endpoints:     newOverlay(b, endpoints, nil),
		deliveries:    newOverlay(b, deliveries, nil),
		deliveryLog:   newOverlay(b, deliveryLogs, nil),
		attempts:      newOverlay(b, attempts, nil),
		expired:       newOverlay(b, expiredEvents, nil),
		replays:       newOverlay(b, replays, nil),
		media:         newOverlay(b, medias, nil),
		uploads:       newOverlay(b, uploads, nil),
		states:        newOverlay(b, states, b.db.kept.states),
		refs:          newOverlay(b, refs, nil),
		answers:       newOverlay(b, idempotencies, nil),
		templates:     newOverlay(b, templates, nil),
		products:      newOverlay(b, products, nil),
		contacts:      newOverlay(b, contacts, nil),
		files:         newOverlay(b, mediaFiles, nil),
		providers:     newOverlay(b, providers, nil),
		photos:        newOverlay(b, photos, nil),
		packs:         newOverlay(b, packs, nil),
		days:          newOverlay(b, templateDays, b.db.kept.days),
		held:          newOverlay(b, templateHeld, nil),
		policies:      newOverlay(b, policies, b.db.kept.policies),
		audits:        newOverlay(b, audits, nil),
		qrCodes:       newOverlay(b, qrCodes, nil),
		sessions:      newOverlay(b, uploadSessions, nil),
		flows:         newOverlay(b, flows, nil),
		traffic:       newOverlay(b, traffics, b.db.kept.traffic),
		credits:       newOverlay(b, credits, b.db.kept.credits),
		ledger:        newOverlay(b, ledgers, b.db.kept.ledger),
		rateUses:      newOverlay(b, rateUses, b.db.kept.rateUses),
		rateCards:     newOverlay(b, rateCards, nil),
		consents:      newOverlay(b, consents, b.db.kept.consents),
		reaches:       newOverlay(b, reaches, b.db.kept.reaches),
		reached:       newOverlay(b, reacheds, b.db.kept.reached),

		consentEntries: newOverlay(b, consentEntries, nil),
		throttles:      newOverlay(b, throttles, nil),
		broadcasts:     newOverlay(b, broadcasts, nil),
		recipients:     newOverlay(b, recipients, nil),
		erasures:       newOverlay(b, erasures, nil),
		retentions:     newOverlay(b, retentions, nil),
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
		tx.counters.past = tx.counters.past[:len(tx.counters.past)-1]
	}
	db.nextKey++
	return db.nextKey - 1, nil
}

// doubt gives up what is known of the database after a transaction that has failed: the reserved block, whose reservation may
// have been rolled back, and the rows that are kept.
func (db *DB) doubt() {
	db.nextKey = db.endKey
	db.kept.forget()
	db.templates.forget()
}

// After has f called once the batch is committed, on the writer's goroutine: it must be quick. It is not called when the
// operation or the batch fails. When the answer to the commit is lost and the database away, it is called as soon as the
// commit is found, which is after Write has returned its UnavailableError.
func (tx *Tx) After(f func()) { tx.b.after = append(tx.b.after, f) }
