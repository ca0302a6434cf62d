package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/manage"
	"kabar/internal/store"
)

// auditCmd is about the log of what was done.
type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"Show what was done, newest first."`
	Verify auditVerifyCmd `cmd:"" help:"Go through the whole log and name every entry that was changed, removed or put in."`
}

// Help is shown by kabar audit --help.
func (*auditCmd) Help() string {
	return `Every change that somebody makes leaves an entry: who, what, when, from where and how it ended. Among them are sign-ins, those that
failed too, keys, users, numbers, settings and backups; what is said to customers is not, kabar message show tells of that.
Entries are only added. Each is chained to the one before with a key that lies under the master key, so that whoever can write the
database, and has not that, cannot hide what they change.

Examples:
  kabar audit list --limit 50 --data server
  kabar audit verify --data server
  kabar audit verify --seen 1204:9f2c71d3a0b4e85566c01d2e3f4a5b6c --data server`
}

// auditOperations are what the commands below ask for.
func auditOperations(m *control.Mux, p *parts) {
	control.Handle(m, "audit.list", p.listAudit)
	control.Handle(m, "audit.verify", p.verifyAudit)
}

// recorded has an operation leave its entry in the audit log.
func recorded[In, Out any](db *store.DB, action string, do func(context.Context, In, control.Report) (Out, error)) func(context.Context, In, control.Report) (Out, error) {
	return func(ctx context.Context, in In, report control.Report) (Out, error) {
		r := store.NewRecord(store.Audit{At: time.Now(), Actor: byOperator, Action: action, Source: "command on the server's machine"}, false)
		out, err := do(store.WithRecord(ctx, r), in, report)
		result := store.AuditOK
		if err != nil {
			result = "refused"
		}
		if settled := db.Settle(ctx, r, result); settled != nil && err == nil {
			err = fmt.Errorf("it was done, but not written down: %w", settled)
		}
		return out, err
	}
}

type auditListCmd struct {
	storeFlags  `embed:""`
	listFlags   `embed:""`
	accountFlag `embed:""`
	Limit       int   `help:"How many entries at most." default:"25" env:"-"`
	Before      int64 `help:"Only those before the entry with this number." placeholder:"SEQ" env:"-"`
}

type listAudit struct {
	Account string `json:"account"` // empty: all
	Before  int64  `json:"before"`
	Limit   int    `json:"limit"`
}

// Run lists the entries.
func (c *auditListCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		var all []manage.Entry
		if err := op.Call(ctx, "audit.list", listAudit{c.Account, c.Before, c.Limit}, &all, nil); err != nil {
			return err
		}
		var rows [][]string
		for _, e := range all {
			rows = append(rows, []string{fmt.Sprint(e.Seq), e.At, e.Actor, e.Action, orDash(e.Subject), orDash(e.Result), orDash(e.Source)})
		}
		return c.print(s.out, all, "Nothing has been done yet.", "SEQ|AT|WHO|WHAT|ABOUT|RESULT|FROM", rows)
	})
}

func (p *parts) listAudit(ctx context.Context, in listAudit, _ control.Report) ([]manage.Entry, error) {
	if in.Limit < 1 {
		return nil, control.Refuse("--limit: want 1 or more")
	}
	var account kabar.AccountID
	if in.Account != "" {
		a, err := p.account(ctx, in.Account, "")
		if err != nil {
			return nil, err
		}
		account = a.ID
	}
	all, err := p.db.AuditLog(ctx, account, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	shown := []manage.Entry{}
	for _, e := range all {
		shown = append(shown, manage.ShownEntry(e, p.db))
	}
	return shown, nil
}

type auditVerifyCmd struct {
	storeFlags `embed:""`
	listFlags  `embed:""`
	Seen       string `help:"The end that an earlier run printed: shows that the log is not an older copy of itself." placeholder:"SEQ:MAC" env:"-"`
}

// Help is shown by kabar audit verify --help.
func (*auditVerifyCmd) Help() string {
	return `Ends with status 1 when an entry was changed, is missing, stands in the wrong place or was put in, and names it. An entry behind a
missing one is checked for its place only. Whoever puts back an older copy of the whole database goes unnoticed, unless you note the
end that this prints, elsewhere, and give it the next time as --seen.

Examples:
  kabar audit verify --data server
  kabar audit verify --seen 1204:9f2c71d3a0b4e85566c01d2e3f4a5b6c --data server`
}

type verifyAudit struct {
	Seen string `json:"seen"`
}

// Run verifies the log.
func (c *auditVerifyCmd) Run(ctx context.Context, s streams) error {
	return c.operate(ctx, func(op *control.Client) error {
		bar := newProgress(s.err)
		var found store.AuditReport
		err := op.Call(ctx, "audit.verify", verifyAudit{c.Seen}, &found, bar.report)
		bar.end()
		if err != nil {
			return err
		}
		if c.JSON {
			err = printJSON(s.out, found)
		} else {
			err = printAudit(s, &found)
		}
		if err == nil && len(found.Faults) > 0 {
			err = errTampered
		}
		return err
	})
}

var errTampered = errors.New("the audit log is not what was written: somebody has changed the database. Keep a copy of it, and compare it with a backup")

func printAudit(s streams, r *store.AuditReport) error {
	for _, f := range r.Faults {
		if _, err := fmt.Fprintf(s.out, "Entry %d %s.\n", f.Seq, f.What); err != nil {
			return err
		}
	}
	if r.More > 0 {
		if _, err := fmt.Fprintf(s.out, "And %d more.\n", r.More); err != nil {
			return err
		}
	}
	word := "All of them are as they were written."
	if len(r.Faults) > 0 {
		word = "They are not as they were written."
	}
	_, err := fmt.Fprintf(s.out, "%d entries. %s\nThe end is %s\n", r.Entries, word, r.End)
	return err
}

func (p *parts) verifyAudit(ctx context.Context, in verifyAudit, report control.Report) (*store.AuditReport, error) {
	return p.db.VerifyAudit(ctx, in.Seen, func(done, total int64) {
		report(control.Progress{What: "entries", Done: done, Total: total})
	})
}
