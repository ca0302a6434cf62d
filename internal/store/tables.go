package store

import (
	"cmp"
)

// The rows as they lie in the database. Sealed columns are opened and sealed by the noun's own file.
type (
	metaRow struct {
		name  string
		value []byte
	}
	counterRow struct {
		name string
		next int64
	}
	conversationRow struct {
		id, account, number         int64
		waID, bsuid                 string
		name, key                   []byte
		lastMessage, lastInbound    int64
		blocked                     int64
		billing                     int64
		category                    string
		billingExpires, profileSent int64
		identity                    string
	}
	handleRow struct {
		number       int64
		handle       string
		account      int64
		conversation int64
	}
	messageRow struct {
		id, account, number, conversation, prev, direction, status int64
		kind                                                       string
		body                                                       []byte
		at, expires                                                int64
		failure                                                    string
		attempts                                                   int64
	}
	jobRow struct {
		id, account, number, conversation int64
		kind                              string
		message, packed, tries, due       int64
		body                              []byte
	}
	eventRow struct {
		number, seq, account, conversation int64
		kind                               string
		at                                 int64
		body                               []byte
	}
	endpointRow struct {
		id, account, number int64
		dialect             string
		body                []byte
		mark, created       int64
	}
	deliveryRow struct {
		endpoint, seq, account, number, conversation, state, attempts, due int64
		body                                                               []byte
	}
	mediaRow struct {
		id, account, number int64
		mime                string
		size                int64
		sha256, file        string
		key, name           []byte
		created             int64
	}
	uploadRow struct {
		number  int64
		sha256  string
		account int64
		body    []byte
		expires int64
	}
	stateRow struct {
		number           int64
		name             string
		account, version int64
		value            []byte
	}
	refRow struct {
		number               int64
		ref                  string
		account, message, at int64
	}
	idempotencyRow struct {
		number    int64
		path, key string
		account   int64
		hash      string
		status    int64
		answer    []byte
		at        int64
	}
	numberRow struct {
		id, account    int64
		digits         string
		key, profile   []byte
		profileVersion int64
		settings       []byte
		fence, created int64
	}
	accountRow struct {
		id      int64
		name    string
		created int64
	}
	userRow struct {
		id, account, number int64
		name, role, hash    string
		mustChange, created int64
	}
	loginRow struct {
		id                             string
		account, number, user, expires int64
	}
	keyRow struct {
		id              string
		account, number int64
		scopes, label   string
		created         int64
	}
	templateRow struct {
		account, number                  int64
		name, language, category, status string
		body                             string
	}
)

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

var metas = &table[string, metaRow]{
	shape:  shape{"meta", cols("name:text"), cols("value:bytea")},
	key:    func(r *metaRow) string { return r.name },
	args:   one[string],
	fields: func(r *metaRow) []any { return []any{&r.name, &r.value} },
	order:  cmp.Compare[string],
}

var counters = &table[string, counterRow]{
	shape:  shape{"counter", cols("name:text"), cols("next:bigint")},
	key:    func(r *counterRow) string { return r.name },
	args:   one[string],
	fields: func(r *counterRow) []any { return []any{&r.name, &r.next} },
	order:  cmp.Compare[string],
}

var accounts = &table[int64, accountRow]{
	shape:  shape{"account", cols("id:bigint"), cols("name:text created:bigint")},
	key:    func(r *accountRow) int64 { return r.id },
	args:   one[int64],
	fields: func(r *accountRow) []any { return []any{&r.id, &r.name, &r.created} },
	order:  byID[int64],
}

var numbers = &table[int64, numberRow]{
	shape: shape{"number", cols("id:bigint"),
		cols("account_id:bigint digits:text key:bytea profile:bytea profile_version:bigint settings:bytea fence:bigint created:bigint")},
	key:  func(r *numberRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *numberRow) []any {
		return []any{&r.id, &r.account, &r.digits, &r.key, &r.profile, &r.profileVersion, &r.settings, &r.fence, &r.created}
	},
	order: byID[int64],
}

var users = &table[int64, userRow]{
	shape: shape{"api_user", cols("id:bigint"),
		cols("account_id:bigint number_id:bigint name:text role:text hash:text must_change:bigint created:bigint")},
	key:  func(r *userRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *userRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.name, &r.role, &r.hash, &r.mustChange, &r.created}
	},
	order: byID[int64],
}

var logins = &table[string, loginRow]{
	shape:  shape{"login", cols("id:text"), cols("account_id:bigint number_id:bigint user_id:bigint expires:bigint")},
	key:    func(r *loginRow) string { return r.id },
	args:   one[string],
	fields: func(r *loginRow) []any { return []any{&r.id, &r.account, &r.number, &r.user, &r.expires} },
	order:  cmp.Compare[string],
}

var apiKeys = &table[string, keyRow]{
	shape:  shape{"api_key", cols("id:text"), cols("account_id:bigint number_id:bigint scopes:text label:text created:bigint")},
	key:    func(r *keyRow) string { return r.id },
	args:   one[string],
	fields: func(r *keyRow) []any { return []any{&r.id, &r.account, &r.number, &r.scopes, &r.label, &r.created} },
	order:  cmp.Compare[string],
}

var conversations = &table[int64, conversationRow]{
	shape: shape{"conversation", cols("id:bigint"),
		cols("account_id:bigint number_id:bigint wa_id:text bsuid:text name:bytea key:bytea last_message:bigint last_inbound:bigint " +
			"blocked:bigint billing_id:bigint billing_category:text billing_expires:bigint profile_sent:bigint identity:text")},
	key:  func(r *conversationRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *conversationRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.waID, &r.bsuid, &r.name, &r.key, &r.lastMessage, &r.lastInbound, &r.blocked,
			&r.billing, &r.category, &r.billingExpires, &r.profileSent, &r.identity}
	},
	order: byID[int64],
}

var handles = &table[named, handleRow]{
	shape:  shape{"handle", cols("number_id:bigint handle:text"), cols("account_id:bigint conversation_id:bigint")},
	key:    func(r *handleRow) named { return named{r.number, r.handle} },
	args:   namedArgs,
	fields: func(r *handleRow) []any { return []any{&r.number, &r.handle, &r.account, &r.conversation} },
	order:  orderNamed,
}

var messages = &table[int64, messageRow]{
	shape: shape{"message", cols("id:bigint"), cols("account_id:bigint number_id:bigint conversation_id:bigint prev:bigint " +
		"direction:bigint status:bigint kind:text body:bytea at:bigint expires:bigint failure:text attempts:bigint")},
	key:  func(r *messageRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *messageRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.conversation, &r.prev, &r.direction, &r.status, &r.kind, &r.body, &r.at,
			&r.expires, &r.failure, &r.attempts}
	},
	order: byID[int64],
}

var jobs = &table[int64, jobRow]{
	shape: shape{"job", cols("id:bigint"), cols("account_id:bigint number_id:bigint conversation_id:bigint kind:text " +
		"message_id:bigint packed:bigint tries:bigint due:bigint body:bytea")},
	key:  func(r *jobRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *jobRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.conversation, &r.kind, &r.message, &r.packed, &r.tries, &r.due, &r.body}
	},
	order: byID[int64],
}

var events = &table[spot, eventRow]{
	shape: shape{"event", cols("number_id:bigint seq:bigint"), cols("account_id:bigint conversation_id:bigint kind:text at:bigint body:bytea")},
	key:   func(r *eventRow) spot { return spot{r.number, r.seq} },
	args:  spotArgs,
	fields: func(r *eventRow) []any {
		return []any{&r.number, &r.seq, &r.account, &r.conversation, &r.kind, &r.at, &r.body}
	},
	order: orderSpot,
}

var endpoints = &table[int64, endpointRow]{
	shape: shape{"endpoint", cols("id:bigint"), cols("account_id:bigint number_id:bigint dialect:text body:bytea mark:bigint created:bigint")},
	key:   func(r *endpointRow) int64 { return r.id },
	args:  one[int64],
	fields: func(r *endpointRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.dialect, &r.body, &r.mark, &r.created}
	},
	order: byID[int64],
}

var deliveries = &table[spot, deliveryRow]{
	shape: shape{"delivery", cols("endpoint_id:bigint seq:bigint"),
		cols("account_id:bigint number_id:bigint conversation_id:bigint state:bigint attempts:bigint due:bigint body:bytea")},
	key:  func(r *deliveryRow) spot { return spot{r.endpoint, r.seq} },
	args: spotArgs,
	fields: func(r *deliveryRow) []any {
		return []any{&r.endpoint, &r.seq, &r.account, &r.number, &r.conversation, &r.state, &r.attempts, &r.due, &r.body}
	},
	order: orderSpot,
}

var medias = &table[int64, mediaRow]{
	shape: shape{"media", cols("id:bigint"), cols("account_id:bigint number_id:bigint mime:text size:bigint sha256:text file:text " +
		"key:bytea name:bytea created:bigint")},
	key:  func(r *mediaRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *mediaRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.mime, &r.size, &r.sha256, &r.file, &r.key, &r.name, &r.created}
	},
	order: byID[int64],
}

var uploads = &table[named, uploadRow]{
	shape:  shape{"upload", cols("number_id:bigint sha256:text"), cols("account_id:bigint body:bytea expires:bigint")},
	key:    func(r *uploadRow) named { return named{r.number, r.sha256} },
	args:   namedArgs,
	fields: func(r *uploadRow) []any { return []any{&r.number, &r.sha256, &r.account, &r.body, &r.expires} },
	order:  orderNamed,
}

var states = &table[named, stateRow]{
	shape:  shape{"driver_state", cols("number_id:bigint name:text"), cols("account_id:bigint version:bigint value:bytea")},
	key:    func(r *stateRow) named { return named{r.number, r.name} },
	args:   namedArgs,
	fields: func(r *stateRow) []any { return []any{&r.number, &r.name, &r.account, &r.version, &r.value} },
	order:  orderNamed,
}

var refs = &table[named, refRow]{
	shape:  shape{"inbound_ref", cols("number_id:bigint ref:text"), cols("account_id:bigint message_id:bigint at:bigint")},
	key:    func(r *refRow) named { return named{r.number, r.ref} },
	args:   namedArgs,
	fields: func(r *refRow) []any { return []any{&r.number, &r.ref, &r.account, &r.message, &r.at} },
	order:  orderNamed,
}

var idempotencies = &table[requestKey, idempotencyRow]{
	shape: shape{"idempotency", cols("number_id:bigint path:text key:text"),
		cols("account_id:bigint hash:text status:bigint answer:bytea at:bigint")},
	key:  func(r *idempotencyRow) requestKey { return requestKey{r.number, r.path, r.key} },
	args: func(k requestKey) []any { return []any{k.number, k.path, k.key} },
	fields: func(r *idempotencyRow) []any {
		return []any{&r.number, &r.path, &r.key, &r.account, &r.hash, &r.status, &r.answer, &r.at}
	},
	order: func(a, b requestKey) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.path, b.path), cmp.Compare(a.key, b.key))
	},
}

var templates = &table[templateKey, templateRow]{
	shape: shape{"template", cols("account_id:bigint name:text language:text"), cols("number_id:bigint category:text status:text body:text")},
	key:   func(r *templateRow) templateKey { return templateKey{r.account, r.name, r.language} },
	args:  func(k templateKey) []any { return []any{k.account, k.name, k.language} },
	fields: func(r *templateRow) []any {
		return []any{&r.account, &r.name, &r.language, &r.number, &r.category, &r.status, &r.body}
	},
	order: func(a, b templateKey) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.name, b.name), cmp.Compare(a.language, b.language))
	},
}

// shapes lists every table, in no particular order.
func shapes() []*shape {
	return []*shape{&metas.shape, &counters.shape, &accounts.shape, &numbers.shape, &users.shape, &logins.shape, &apiKeys.shape,
		&conversations.shape, &handles.shape, &messages.shape, &jobs.shape, &events.shape, &endpoints.shape, &deliveries.shape,
		&medias.shape, &uploads.shape, &states.shape, &refs.shape, &idempotencies.shape, &templates.shape}
}

func one[K any](k K) []any    { return []any{k} }
func namedArgs(k named) []any { return []any{k.number, k.name} }
func spotArgs(k spot) []any   { return []any{k.owner, k.seq} }
