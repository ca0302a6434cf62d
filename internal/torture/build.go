//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"kabar/internal/torture/instrument"
)

// product is the source of the product with what every run changes in it.
func product(root string) instrument.Source {
	return instrument.Source{
		Root: root,
		Added: map[string]string{"cmd/kabar/torture.go": `package main

import "kabar/internal/torture/failpoint"

func init() { failpoint.Start() }
`},
		Edits: append(instrument.OnDisk(), []instrument.Edit{
			// Programs that are killed all the time would otherwise wait longer and longer before they connect again.
			{File: "internal/relayclient/keep.go", Old: "maxBackoff = 30 * time.Second", New: "maxBackoff = 300 * time.Millisecond"},
			{File: "internal/store/schema.go", // for the failpoint in migrations: a store of the first schema
				Old: "	files := make([]migrationFile, len(names))\n",
				New: "	if _torture.Mutant(\"" + firstSchema + "\") {\n		names = names[:1]\n	}\n	files := make([]migrationFile, len(names))\n"},
			// Every store that is set back begins its sessions anew: more often than a device may ask for bundles.
			{File: "internal/relayserver/limits.go", Old: "fill(&l.BundlesHourly, 10)", New: "fill(&l.BundlesHourly, 1_000_000)"},
			{File: "internal/relayclient/keep.go", Old: "minBackoff = 200 * time.Millisecond", New: "minBackoff = 20 * time.Millisecond"},
			// As the settings have the endpoint of /v1 wait: all is to come to rest within seconds.
			{File: "cmd/kabar/server_webhooks.go", Old: "First: 3 * time.Second, Most: 15 * time.Minute, Late: time.Hour, Often: 104",
				New: "First: 20 * time.Millisecond, Most: 200 * time.Millisecond"},
		}...),
	}
}

// build compiles the product with failpoints and the seeded faults, and the checker as it is.
func build(ctx context.Context, dir string) (kabar, checker string, err error) {
	root, err := instrument.Root()
	if err != nil {
		return "", "", err
	}
	src := product(root)
	for _, m := range mutants() {
		src.Edits = append(src.Edits, m.edits...)
	}
	kabar, checker = filepath.Join(dir, "kabar"), filepath.Join(dir, "check")
	if err := src.Build(ctx, "./cmd/kabar", kabar); err != nil {
		return "", "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", checker, "./internal/torture/check")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	return kabar, checker, cmd.Run()
}
