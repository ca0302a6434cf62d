// Package uitest helps tests to look at pages: with a real browser ([Open]), and with texts that people could send to
// break them ([Hostile]). Only tests import it.
package uitest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"kabar/internal/patience"
)

// Step is something that a browser does.
type Step = chromedp.Action[chromedp.Void]

// Browser is a headless Chromium with one tab.
type Browser struct {
	t   *testing.T
	ctx context.Context
	dir string
}

// Open starts Chromium for at most nine minutes, and skips the test loudly where there is none. Screenshots go to dir, or
// to a temporary folder when it is empty.
func Open(t *testing.T, dir string) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		t.Skip("NO BROWSER: there is neither chromium nor google-chrome on the PATH, so THIS PAGE HAS NOT BEEN TESTED. Install chromium.")
	}
	if dir == "" {
		dir = t.TempDir()
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, // its folder is chromedp's: children of Chromium write there when it has ended
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &Browser{t: t, ctx: ctx, dir: dir}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

// For returns the browser for a subtest.
func (b *Browser) For(t *testing.T) *Browser { return &Browser{t, b.ctx, b.dir} }

func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Do takes steps; each waits until it can be taken.
func (b *Browser) Do(steps ...Step) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// Scheme sets what the page takes for the reader's choice of colours: "light" or "dark".
func (b *Browser) Scheme(value string) {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// Eval evaluates a JavaScript expression; a promise is waited for.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("browser: %s: %v", expression, err)
	}
	return v
}

// Until waits until a JavaScript expression is true. While a page is loading, one that fails is not true.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	end := time.Now().Add(patience.Limit)
	for {
		yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && yes {
			return
		}
		if time.Now().After(end) || b.ctx.Err() != nil {
			b.Shot("until")
			b.t.Fatalf("browser: not within %s: %s (%v)", patience.Limit, expression, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Shot saves a screenshot of the window as name.png. There is none while one page takes the place of another.
func (b *Browser) Shot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	for end := time.Now().Add(patience.Limit); err != nil && b.ctx.Err() == nil && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
		png, err = chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(b.dir, name+".png"), png, 0o600)
	}
	if err != nil {
		b.t.Fatalf("browser: screenshot: %v", err)
	}
}

// Context is the browser's, for what the other methods do not do.
func (b *Browser) Context() context.Context { return b.ctx }
