package store

import (
	"context"
	"crypto/hmac"
	"fmt"
)

// AuditFault is a place where the audit log is not what was written.
type AuditFault struct {
	Seq  int64  `json:"seq"` // of the entry; what has no place in the chain has what the database says
	ID   int64  `json:"id,omitempty"`
	What string `json:"what"` // in a sentence
}

// AuditReport is what VerifyAudit has found.
type AuditReport struct {
	Entries int64        `json:"entries"` // of the chain
	End     string       `json:"end"`     // number and MAC of its last entry, to be noted down somewhere else
	Faults  []AuditFault `json:"faults"`  // the first hundred
	More    int          `json:"more,omitempty"`
}

const (
	maxFaults  = 100
	verifyPage = 1000
)

func (r *AuditReport) fault(seq, id int64, format string, args ...any) {
	if len(r.Faults) == maxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, AuditFault{seq, id, fmt.Sprintf(format, args...)})
}

// VerifyAudit goes through the whole audit log, while others write, and says where it has been tampered with: entries that were
// changed, are missing, were put in, or cut off. seen, which may be empty, is the End of an earlier report: that the log holds
// it shows that it was not replaced by an older one. progress may be nil.
func (db *DB) VerifyAudit(ctx context.Context, seen string, progress func(done, total int64)) (*AuditReport, error) {
	end, err := db.auditEnd(ctx)
	if err != nil {
		return nil, err
	}
	v := &verifier{key: db.chain, report: &AuditReport{Entries: end.seq, End: end.String(), Faults: []AuditFault{}}, last: chainStart(), seen: seen, found: seen == ""}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	seq, id := int64(0), int64(-1)
	for {
		rows, err := readAll(ctx, db, audits, chainPage, seq, id, end.seq, int64(verifyPage))
		if err != nil {
			return nil, err
		}
		for i := range rows {
			v.look(&rows[i])
		}
		if len(rows) < verifyPage {
			break
		}
		seq, id = rows[len(rows)-1].seq, rows[len(rows)-1].id
		progress(v.last.seq, end.seq)
	}
	v.finish(end)
	return v.report, db.strays(ctx, v.report)
}

const chainPage = "seq > 0 AND (seq, id) > ($1, $2) AND seq <= $3 ORDER BY seq, id LIMIT $4"

// auditEnd returns the end of the chain; the zero link's place when it is gone.
func (db *DB) auditEnd(ctx context.Context) (link, error) {
	plain, err := db.sealed(ctx, chainEnd)
	if IsNotFound(err) {
		return chainStart(), nil
	}
	if err != nil {
		return link{}, err
	}
	return decodeLink(plain)
}

// verifier goes along the chain.
type verifier struct {
	key    []byte
	report *AuditReport
	last   link
	gap    bool   // the entry before is not there, so that the MAC of this one says nothing
	seen   string // an end that the log must hold
	found  bool
}

func (v *verifier) look(r *auditRow) {
	switch {
	case r.seq == v.last.seq:
		v.report.fault(r.seq, r.id, "stands beside another entry of the same number: one of them was put in")
		return
	case r.seq > v.last.seq+1:
		v.missing(r.seq - 1)
	}
	if !v.gap && !hmac.Equal(r.mac, next(v.key, v.last.mac, r)) {
		v.report.fault(r.seq, r.id, "was changed, or is not the one that was written")
	}
	v.last, v.gap = link{r.seq, r.mac}, false
	v.notice(v.last)
}

// missing tells of the entries between the last one and the one with the number to, and of that.
func (v *verifier) missing(to int64) {
	if from := v.last.seq + 1; from == to {
		v.report.fault(to, 0, "is missing")
	} else {
		v.report.fault(from, 0, "is missing, and so are those up to %d", to)
	}
	v.gap = true
}

func (v *verifier) notice(l link) {
	if len(l.mac) == len(chainStart().mac) && l.String() == v.seen {
		v.found = true
	}
}

func (v *verifier) finish(end link) {
	switch {
	case v.last.seq < end.seq:
		v.missing(end.seq)
	case !hmac.Equal(v.last.mac, end.mac):
		v.report.fault(end.seq, 0, "is not the one that the log ended with")
	}
	if !v.found {
		v.report.fault(v.last.seq, 0, "is the last, and the log does not hold the end %s that was seen before: it was replaced by another", v.seen)
	}
}

// strays tells of rows that are in no chain, and of those behind its end: which is read after them, so that what is being
// written meanwhile is none.
func (db *DB) strays(ctx context.Context, report *AuditReport) error {
	rows, err := readAll(ctx, db, audits, "(seq < 1 OR seq > $1) ORDER BY id LIMIT $2", report.Entries, int64(verifyPage))
	if err != nil {
		return err
	}
	end, err := db.auditEnd(ctx)
	if err != nil {
		return err
	}
	for i := range rows {
		if r := &rows[i]; r.seq < 1 || r.seq > end.seq {
			report.fault(r.seq, r.id, "stands outside the chain: it was put in")
		}
	}
	return nil
}
