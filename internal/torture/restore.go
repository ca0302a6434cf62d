//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"kabar/internal/torture/failpoint"
	"kabar/internal/torture/history"
)

// timeTravel makes a copy of a killed process's store now and then, and in some rounds puts the last copy in its place: by
// the operator's commands for the server, and as somebody would copy a folder for the phones, which have none. The relay's
// store is never set back: a relay that forgets what it has acknowledged has promised otherwise, and nobody can make up for it.
func (r *rounds) timeTravel(ctx context.Context, p *process) error {
	if p != r.c.server && p != r.c.phone || r.restores == 0 {
		return nil
	}
	old, have := r.copies[p.name]
	if have && r.chance.Float64() < r.restores*2 { // half of the rounds kill one of the two, and have a copy
		delete(r.copies, p.name)
		r.restored++
		return r.restore(ctx, p, old)
	}
	if !have && r.chance.Float64() < max(0.25, r.restores) {
		return r.copy(ctx, p)
	}
	return nil
}

func (r *rounds) copy(ctx context.Context, p *process) error {
	s := stamp{dir: r.c.path("copies", fmt.Sprintf("%s-%d", p.name, time.Now().UnixNano())), at: time.Now().UnixNano()}
	r.copies[p.name] = s
	if p == r.c.phone {
		return copyFolder(ctx, r.c.path("phone"), s.dir)
	}
	_, err := r.c.run(ctx, append([]string{"backup", "make", s.dir, "--data", r.c.path("server")}, r.c.databaseFlag()...)...)
	return err
}

// restore puts an older copy in the place of a store and tells the checker.
func (r *rounds) restore(ctx context.Context, p *process, s stamp) error {
	if p == r.c.phone {
		if err := remove(r.c.path("phone")); err != nil {
			return err
		}
		if err := os.Rename(s.dir, r.c.path("phone")); err != nil {
			return err
		}
	} else if err := r.restoreServer(ctx, s); err != nil {
		return err
	}
	return r.c.rec.Write(history.Record{Op: history.Restored, Process: p.name, Since: s.at})
}

func (r *rounds) restoreServer(ctx context.Context, s stamp) error {
	if err := remove(r.c.path("server")); err != nil {
		return err
	}
	if r.c.database != "" {
		if err := emptyDatabase(ctx, r.c.database); err != nil {
			return err
		}
	}
	_, err := r.c.run(ctx, append([]string{"restore", s.dir, "--data", r.c.path("server"), "--master-key-file", r.c.path("master.key")},
		r.c.databaseFlag()...)...)
	if err != nil {
		return err
	}
	return remove(s.dir)
}

// copyFolder copies a folder of a process that does not run.
func copyFolder(ctx context.Context, from, to string) error {
	if out, err := exec.CommandContext(ctx, "cp", "-a", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w\n%s", from, err, out)
	}
	return nil
}

// inScratch kills a server while it sets up a store of its own, or a migration of one, and sees that it then starts.
func (r *rounds) inScratch(ctx context.Context, p point) error {
	r.scratch++
	dir := r.c.path(fmt.Sprintf("scratch-%d", r.scratch))
	addr, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	s := r.c.serverAt("scratch", dir, addr, fmt.Sprintf("6281119%05d", r.scratch), "")
	arm := fmt.Sprintf("arm %s %d %d", p.name, 1+r.chance.IntN(p.upTo), r.delay())
	if p.name == "migration" {
		if err := r.oldSchema(s); err != nil {
			return err
		}
		migrate := r.c.product("scratch", nil, "migrate", "--data", dir)
		if err := migrate.launch(arm); err != nil {
			return err
		}
		if !migrate.gone(readyWithin) {
			migrate.kill()
		}
		if _, err := r.c.run(ctx, "migrate", "--data", dir); err != nil {
			return err
		}
	} else if err := s.launch(arm); err != nil {
		return err
	} else if !s.gone(readyWithin) {
		return fmt.Errorf("the server was not killed while it set up its store")
	}
	if err := r.note(s, p.name); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("after a kill at %s: %w", p.name, err)
	}
	s.kill()
	return remove(filepath.Clean(dir))
}

// oldSchema leaves a store of the first schema in the folder of a server: with that schema this program cannot run.
func (r *rounds) oldSchema(s *process) error {
	old := *s
	old.env = append(append([]string(nil), s.env...), failpoint.EnvMutants+"="+firstSchema)
	if err := old.launch(""); err != nil {
		return err
	}
	if !old.gone(readyWithin) {
		old.kill()
		return fmt.Errorf("the server runs on a store of the first schema")
	}
	return nil
}

// firstSchema is the switch that hides all migrations but the first.
const firstSchema = "first-schema"
