package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// labClock is the clock of kabar dev: real time plus a shift that is kept with the data folder. Server, relay and phones
// read the same one.
type labClock struct {
	file string

	mu      sync.RWMutex
	shift   time.Duration
	onShift []func()
}

// openClock reads the shift of a data folder.
func openClock(file string) (*labClock, error) {
	c := &labClock{file: file}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the clock: %w", err)
	}
	var kept struct{ Shift string }
	if err := json.Unmarshal(text, &kept); err != nil {
		return nil, fmt.Errorf("read the clock %s: %w", file, err)
	}
	if c.shift, err = time.ParseDuration(kept.Shift); err != nil {
		return nil, fmt.Errorf("read the clock %s: %w", file, err)
	}
	return c, nil
}

// Now returns the shifted time.
func (c *labClock) Now() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return time.Now().Add(c.shift)
}

// Advance moves the clock forward, on disk first, and tells whoever waits for a time.
func (c *labClock) Advance(d time.Duration) error {
	c.mu.Lock()
	next := c.shift + d
	if err := writeFile(c.file, fmt.Appendf(nil, "{\"Shift\":%q}\n", next)); err != nil {
		c.mu.Unlock()
		return fmt.Errorf("keep the clock: %w", err)
	}
	c.shift = next
	listeners := c.onShift
	c.mu.Unlock()
	for _, f := range listeners {
		f()
	}
	return nil
}

// OnShift has f called after every shift.
func (c *labClock) OnShift(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onShift = append(c.onShift, f)
}
