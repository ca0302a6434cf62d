//go:build unix

package main

import (
	"slices"

	"kabar/internal/torture/instrument"
)

// mutants are the seeded faults, by the numbers of docs/reliability.md. Two more, M1 and M17, are about power cuts and belong
// to that mode. An edit that no longer fits the source is an error: whoever changes such a place changes the fault with it.
func mutants() []mutant {
	return append(append(storeFaults(), webhookFaults()...), append(networkFaults(), ruleFaults()...)...)
}

// edits are of one file: what stands there, and what takes its place, in turn.
func edits(file string, pairs ...string) (all []instrument.Edit) {
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, instrument.Edit{File: file, Old: pair[0], New: pair[1]})
	}
	return all
}

func storeFaults() []mutant {
	return []mutant{
		{name: "M2", what: "a request is answered before its commit", at: "commit", edits: edits("internal/store/batch.go",
			"	err := b.tx.Commit()\n",
			"	if _torture.Mutant(\"M2\") && len(b.after) > 0 {\n		go func() { time.Sleep(20 * time.Millisecond); if b.tx.Commit() == nil { b.done() } }()\n		return nil\n	}\n	err := b.tx.Commit()\n",
			"	if err = b.commit(); err == nil {\n", "	if err = b.commit(); err == nil && !_torture.Mutant(\"M2\") {\n", // the late commit still has it
			"	\"fmt\"\n\n	\"kabar/", "	\"fmt\"\n	\"time\"\n\n	\"kabar/")},
		{name: "M5", what: "idempotency keys are not looked at", at: "before-answer", edits: edits("internal/engine/once.go",
			"	if o == nil {\n		return nil, nil\n	}\n	a, err := tx.Answer", "	if o == nil || _torture.Mutant(\"M5\") {\n		return nil, nil\n	}\n	a, err := tx.Answer",
			"	if o == nil {\n		return nil, nil\n	}\n	a, err := db.Answer", "	if o == nil || _torture.Mutant(\"M5\") {\n		return nil, nil\n	}\n	a, err := db.Answer",
			"	if o == nil {\n		return a, nil\n	}\n", "	if o == nil || _torture.Mutant(\"M5\") {\n		return a, nil\n	}\n")},
		{name: "M16", what: "a conflict in the store of keys is passed over", at: "after-send", edits: edits("internal/engine/driverstate.go",
			"		if err := tx.SetState(n, s.Key, s.Version, s.Value); err != nil {\n",
			"		if err := tx.SetState(n, s.Key, s.Version, s.Value); err != nil && !_torture.Mutant(\"M16\") {\n")},
	}
}

func webhookFaults() []mutant {
	return []mutant{
		{name: "M3", what: "a webhook is marked done before its 200", edits: edits("internal/webhook/attempt.go",
			"	r.answer = s.post(ctx, &request{id: id, body: body, of: of, j: r.job})\n",
			"	if _torture.Mutant(\"M3\") {\n		go func() { _ = s.post(context.WithoutCancel(ctx), &request{id: id, body: body, of: of, j: r.job}) }()\n		r.status = 200\n		return\n	}\n"+
				"	if _torture.Mutant(\"M11\") {\n		id += string(rune('a' + r.attempts))\n	}\n"+
				"	r.answer = s.post(ctx, &request{id: id, body: body, of: of, j: r.job})\n")},
		{name: "M4", what: "a webhook that failed is given up", edits: edits("internal/webhook/outcome.go",
			"			if r.err != nil {\n				refused", "			if r.err != nil && !_torture.Mutant(\"M4\") {\n				refused")},
		{name: "M9", what: "a customer's next event overtakes one that failed", edits: edits("internal/webhook/outcome.go",
			"	switch {\n	case r.again:\n",
			"	if _torture.Mutant(\"M9\") && len(items) == 1 && len(l.queue) > 1 {\n		l.queue[0], l.queue[1], l.attempts, l.due = l.queue[1], l.queue[0], 0, time.Time{}\n"+
				"		s.window.record(rows[0])\n		return\n	}\n	switch {\n	case r.again:\n")},
		{name: "M11", what: "a retry has a webhook-id of its own"}, // with M3: it is the same line
		{name: "M12", what: "a retry has other bytes", edits: edits("internal/webhook/attempt.go",
			"	switch {\n	case len(it.body) > 0:\n",
			"	if _torture.Mutant(\"M12\") && len(it.body) > 0 {\n		it.body = append(it.body, ' ')\n	}\n	switch {\n	case len(it.body) > 0:\n")},
		{name: "M24", what: "an event in the dialect kabar has a webhook-id in each process", at: "after-hook", edits: edits("internal/webhook/id.go",
			"		return s.o.Store.EventID(s.number, events[0].seq, events[0].at)\n",
			"		if _torture.Mutant(\"M24\") {\n			return s.o.Store.EventID(s.number, events[0].seq, events[0].at) + strconv.Itoa(os.Getpid())\n		}\n"+
				"		return s.o.Store.EventID(s.number, events[0].seq, events[0].at)\n",
			"	\"encoding/binary\"\n", "	\"encoding/binary\"\n	\"os\"\n	\"strconv\"\n")},
		{name: "M18", what: "the mark passes events that are not finished", at: "after-hook", trouble: 0.6, edits: edits("internal/webhook/save.go",
			"		return tx.Advance(r.number, r.id, p.mark)\n",
			"		if _torture.Mutant(\"M18\") {\n			return tx.Advance(r.number, r.id, p.mark+3)\n		}\n		return tx.Advance(r.number, r.id, p.mark)\n")},
		{name: "M23", what: "a replay moves the mark of its endpoint", at: "replay-begun", trouble: 0.6, edits: edits("internal/endpoint/replay.go",
			"				if err := tx.AddReplay(&one, es.o.Now()); err != nil {\n",
			"				if _torture.Mutant(\"M23\") {\n					if err := tx.Advance(one.Number, one.Endpoint, one.Until); err != nil {\n						return err\n					}\n				}\n"+
				"				if err := tx.AddReplay(&one, es.o.Now()); err != nil {\n")},
	}
}

func networkFaults() []mutant {
	return []mutant{
		{name: "M6", what: "the ratchet is saved after its ciphertext has left", at: "after-send", edits: append(edits("internal/engine/work.go",
			"	msg  *kabar.Message // of a job that sends a message\n", "	msg  *kabar.Message // of a job that sends a message\n	late func(*store.Tx) error\n",
			"		if err := t.remove(tx); err != nil || t.msg == nil {\n",
			"		if t.late != nil {\n			if err := t.late(tx); err != nil {\n				return err\n			}\n		}\n		if err := t.remove(tx); err != nil || t.msg == nil {\n"),
			edits("internal/engine/prepare.go",
				"	err = t.e.db.Write(ctx, func(tx *store.Tx) {\n		t.want(tx)\n		wantChange(tx, o.From.ID, change)\n",
				"	if _torture.Mutant(\"M6\") {\n		t.job, t.late = &packed, func(tx *store.Tx) error { return apply(tx, o.From, change) }\n		return nil\n	}\n"+
					"	err = t.e.db.Write(ctx, func(tx *store.Tx) {\n		t.want(tx)\n		wantChange(tx, o.From.ID, change)\n")...)},
		{name: "M7", what: "the network is acknowledged before the commit", at: "commit", edits: edits("internal/network/relay/receive.go",
			"	pause := minPause\n	for {\n", "	pause := minPause\n	if _torture.Mutant(\"M7\") {\n		_ = r.conn.Ack(ctx, seq)\n	}\n	for {\n")},
		{name: "M14", what: "a restored store goes on with its old sessions", at: "after-send", copy: true, edits: append(edits("internal/network/relay/device.go",
			"	dev.Epoch++\n", "	if !_torture.Mutant(\"M14\") {\n		dev.Epoch++\n	}\n"),
			edits("cmd/kabar/backup.go",
				"store.OpenSnapshot(ctx, o, network.SessionPrefix)",
				"store.OpenSnapshot(ctx, o, map[bool]string{true: \"none\", false: network.SessionPrefix}[_torture.Mutant(\"M14\")])",
				"p.db.Snapshot(ctx, network.SessionPrefix)",
				"p.db.Snapshot(ctx, map[bool]string{true: \"none\", false: network.SessionPrefix}[_torture.Mutant(\"M14\")])")...)},
		{name: "M19", what: "a job is removed before its packet has left", at: "before-send", edits: edits("internal/engine/work.go",
			"		//failpoint:before-send\n", "		if _torture.Mutant(\"M19\") {\n			if err := t.done(ctx); err != nil {\n				return err\n			}\n		}\n		//failpoint:before-send\n")},
		{name: "M21", what: "the relay serves a one-time prekey twice", edits: edits("internal/relayserver/store_prekeys.go",
			"	err := tx.QueryRow(sqlPopKey, device, kind).Scan(&k.Id, &k.Key)\n",
			"	text := sqlPopKey\n	if _torture.Mutant(\"M21\") {\n		text = \"SELECT id, key FROM prekey WHERE device = ? AND kind = ? ORDER BY id LIMIT 1\"\n	}\n"+
				"	err := tx.QueryRow(text, device, kind).Scan(&k.Id, &k.Key)\n")},
	}
}

func ruleFaults() []mutant {
	return []mutant{
		{name: "M10", what: "a status is told in the order in which its reports arrive", at: "after-send", edits: edits("status.go",
			"	switch {\n	case s == Received:\n", "	switch {\n	case _torture.Mutant(\"M10\"):\n		return true\n	case s == Received:\n")},
		{name: "M20", what: "the 24-hour window is not looked at", edits: edits("judge.go",
			"	case f.Content.Kind() != KindTemplate && (", "	case !_torture.Mutant(\"M20\") && f.Content.Kind() != KindTemplate && (")},
		{name: "M22", what: "a message is paid for again when it has been read", edits: edits("internal/engine/credit.go",
			"	switch m.Status {\n	case kabar.Delivered:\n", "	switch m.Status {\n	case kabar.Read:\n		if _torture.Mutant(\"M22\") {\n"+
				"			return endCharge(tx, m, kabar.LedgerSettle, now)\n		}\n		return 0, nil\n	case kabar.Delivered:\n")},
	}
}
