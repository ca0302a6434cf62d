//go:build unix

// Command powercut has the power of a business's machine go, again and again, and judges what is left.
//
// Each round runs the product's own store, media folder and engine, over the production driver, on a disk that journals what
// is durable (package disk): clients send with idempotency keys and upload media, customers write and read, all at once. At a
// random call on the disk the power goes. From what was durable, and from a random part of what was not, the disk is built
// anew; the same code opens it and must find everything that was acknowledged, exactly once. What the clients, the customers
// and the network know lies outside and survives.
//
// It must be built with the overlay that puts the media folder on that disk: go run ./internal/torture power.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"kabar/internal/media"
	"kabar/internal/secrets"
	"kabar/internal/torture/disk"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "powercut:", err) // there is nobody else to tell
		os.Exit(1)
	}
}

// errBroken says that a promise was broken; what and how has been printed.
var errBroken = errors.New("promises were broken")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("powercut", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rounds := flags.Uint64("rounds", 1000, "how many `rounds`")
	seed := flags.Uint64("seed", uint64(time.Now().UnixNano())%1_000_000_000, "of the first round; the next has the next")
	jobs := flags.Int("jobs", 2, "rounds at a time")
	dir := flags.String("dir", "", "`folder` for the rounds; default: one in memory, if there is such a place")
	lying := flags.Bool("lying", false, "have every sync of the disk do nothing: promises must break")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o, clean, err := prepare(*dir, *lying)
	if err != nil {
		return err
	}
	debug.SetGCPercent(400) // time matters here, memory does not
	p := &progress{total: *rounds, out: stderr, began: time.Now()}
	err = p.all(ctx, o, *seed, *jobs)
	p.summary(stdout, *seed)
	if err == nil && p.done < p.total {
		err = p.stopped(*seed, *lying)
	}
	if p.found != [3]int{} {
		return errors.Join(err, errBroken) // the folders stay
	}
	return errors.Join(err, clean())
}

// prepare makes the folder that holds the rounds, and the store that they begin with.
func prepare(dir string, lying bool) (o options, clean func() error, err error) {
	base := dir
	if base == "" {
		if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
			base = "/dev/shm"
		}
	} else if err := os.MkdirAll(base, 0o700); err != nil {
		return o, nil, err
	}
	if o.dir, err = os.MkdirTemp(base, "kabar-power-"); err != nil {
		return o, nil, err
	}
	clean = func() error { return os.RemoveAll(o.dir) }
	o.lying = lying
	if o.master, err = secrets.CreateMasterKey(filepath.Join(o.dir, "master.key")); err == nil { // for whoever looks into what is kept
		err = overlaid(filepath.Join(o.dir, "probe"))
	}
	if err == nil {
		o.templates, err = templates(o.dir, o.master)
	}
	if err != nil {
		return o, nil, errors.Join(err, clean())
	}
	return o, clean, nil
}

// overlaid makes sure that the media folder is on the disk that fails.
func overlaid(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	d, err := disk.Claim(dir)
	if err != nil {
		return err
	}
	defer d.Release()
	m, err := media.Open(filepath.Join(dir, "media"))
	if err != nil {
		return err
	}
	if d.Calls() == 0 {
		err = errors.New("built without the overlay, so media are not on the disk that fails: go run ./internal/torture power")
	}
	return errors.Join(err, m.Close())
}
