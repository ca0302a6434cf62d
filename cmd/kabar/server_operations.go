package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"kabar"
	"kabar/internal/doctor"
	"kabar/internal/onprem"
	"kabar/internal/store"
)

// operationsOf tells the On-Premises API of the program and its machine; it implements onprem.Operations.
type operationsOf struct{ s *server }

// Callbacks implements onprem.Operations.
func (o operationsOf) Callbacks(ctx context.Context, n kabar.NumberID) (pending int64, err error) {
	all, err := o.s.dispatcher.Backlog(ctx)
	if err != nil {
		return 0, store.Refusal(err)
	}
	endpoints, err := o.s.db.Endpoints(ctx, n)
	for _, e := range endpoints {
		pending += all[e.ID].Pending
	}
	return pending, store.Refusal(err)
}

// Waiting implements onprem.Operations.
func (o operationsOf) Waiting() int {
	n, _ := o.s.db.Waiting()
	return n
}

// Node implements onprem.Operations.
func (operationsOf) Node() string {
	name, err := os.Hostname()
	if err != nil {
		return "kabar"
	}
	return name
}

// Support implements onprem.Operations.
func (o operationsOf) Support(ctx context.Context) (onprem.Support, error) {
	about, err := o.s.db.About(ctx)
	if err != nil {
		return onprem.Support{}, store.Refusal(err)
	}
	schema, err := store.LatestSchema()
	if err != nil {
		return onprem.Support{}, err
	}
	s := onprem.Support{DBEngine: o.s.db.Engine(), DBInfo: []string{about.Version}, Description: "Kabar " + version(), OSName: runtime.GOOS,
		OSVersion: kernel(), Schema: map[string]int{"kabar": schema}}
	s.FreeData, s.FreeIncoming = free(o.s.o.dir), free(o.s.mediaDir())
	s.FreeOutgoing = s.FreeIncoming // one folder
	return s, nil
}

// free says how much room a folder's disk has, or that nobody knows.
func free(dir string) string {
	u, err := doctor.DiskUsage(dir)
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%d MiB of %d MiB", u.Free>>20, u.Size>>20)
}

// kernel is the release of the system, where it can be read.
func kernel() string {
	b, err := os.ReadFile(filepath.FromSlash("/proc/sys/kernel/osrelease"))
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}
