package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"kabar/internal/backup"
	"kabar/internal/network"
)

// restoreCmd brings a backup back.
type restoreCmd struct {
	databaseFlags `embed:""`
	masterFlags   `embed:""`
	Dir           string `arg:"" help:"Folder of the backup." type:"path"`
}

// Help is shown by kabar restore --help.
func (*restoreCmd) Help() string {
	return `The backup is verified first, then it goes into the data folder, which must be new or empty; with --database into a PostgreSQL
database, which must be empty, with the media in the data folder. A backup may go from either database to the other. One of an
older version is brought to this version's schema.

The server that the backup is of must not run any more. What came in since the backup is lost; what was on its way when it was
made goes out again under the same ids, by which customers' phones and your application tell that they have had it.

Examples:
  kabar restore /backups/2026-01-02 --data server --master-key-file master.key
  kabar restore /backups/2026-01-02 --data server --master-key-file master.key --database postgres://kabar@db/kabar`
}

// Run restores a backup.
func (c *restoreCmd) Run(ctx context.Context, s streams) error {
	master, err := c.load(ctx)
	if err != nil {
		return err
	}
	o, err := c.options(master)
	if err != nil {
		return err
	}
	bar := newProgress(s.err)
	r, err := backup.Restore(ctx, c.Dir, backup.Target{Data: c.Data, Store: o, Mark: network.RestoredKey, Now: time.Now(), Report: reportTo(bar.report)})
	bar.end()
	if err != nil {
		return err
	}
	return c.print(s.out, r)
}

func (c *restoreCmd) print(w io.Writer, r *backup.Result) error {
	_, err := fmt.Fprintf(w, `Restored the backup of %s into %s: %d rows and %d media files.
On their way when it was made: %d messages and %d webhooks. They go out again under the same ids.
Undone is what has happened since: messages of customers are lost, statuses may stay behind, and users, keys and sessions are as they
were then: what was revoked since has to be revoked again.
Start the server with kabar serve. It begins its encryption sessions afresh.
`, r.Manifest.Created.Format(time.RFC3339), c.Data, r.Manifest.AllRows(), r.Manifest.Media.Files, r.Note.Messages, r.Note.Events)
	return err
}

// reportRestore logs at every start that the store was restored: what has come of messages older than that may not be known.
func (s *server) reportRestore(ctx context.Context) error {
	r, err := s.db.Restored(ctx)
	if err != nil || r == nil {
		return err
	}
	s.o.log.Info("this store was restored from a backup: of messages older than the restore the status may be behind for good",
		"restored", r.At.UTC().Format(time.RFC3339), "backup", r.Backup.Format(time.RFC3339), "messages_underway", r.Messages, "webhooks_underway", r.Events)
	return nil
}
