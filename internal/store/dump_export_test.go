package store

import "time"

// Described returns the columns of every table as the store describes them.
func Described() map[string][]Column {
	all := map[string][]Column{}
	for _, s := range shapes() {
		for _, c := range append(append([]column(nil), s.keys...), s.cols...) {
			all[s.name] = append(all[s.name], Column{c.name, c.kind})
		}
	}
	return all
}

// Leapt returns where a counter goes on after a restore.
func Leapt(next int64, at time.Time) (int64, error) { return leapt(next, at) }

// shapes lists every table, in no particular order.
func shapes() []*shape {
	return []*shape{&metas.shape, &counters.shape, &accounts.shape, &numbers.shape, &users.shape, &logins.shape, &apiKeys.shape,
		&conversations.shape, &latests.shape, &handles.shape, &messages.shape, &jobs.shape, &events.shape, &endpoints.shape, &deliveries.shape, &deliveryLogs.shape, &attempts.shape,
		&expiredEvents.shape, &replays.shape,
		&medias.shape, &uploads.shape, &states.shape, &refs.shape, &idempotencies.shape, &templates.shape, &products.shape,
		&contacts.shape, &mediaFiles.shape, &providers.shape, &photos.shape, &packs.shape, &templateDays.shape, &templateHeld.shape, &policies.shape,
		&audits.shape, &qrCodes.shape, &uploadSessions.shape, &flows.shape, &traffics.shape, &credits.shape, &ledgers.shape, &rateUses.shape, &rateCards.shape,
		&consents.shape, &reaches.shape, &reacheds.shape, &consentEntries.shape, &throttles.shape, &broadcasts.shape, &recipients.shape,
		&erasures.shape, &retentions.shape}
}
