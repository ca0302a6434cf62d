package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// mediaSizes are the sizes of the media, in MiB, and mediaClients is how many go up or down at a time.
func mediaSizes() []int { return []int{1, 16} }

const mediaClients = 4

// depot is a server that takes and gives media.
type depot struct {
	*process
	url, token string
}

// media measures uploads and downloads, beside a bare server that writes the same bytes to a file, and how much memory the
// server needs for them.
func (b *bench) media(ctx context.Context) error {
	w, err := b.newWorld(ctx, "media", "")
	if err != nil {
		return err
	}
	if err := w.close(); err != nil {
		return err
	}
	s, err := b.serve(ctx, w, nowhere)
	if err != nil {
		return err
	}
	addr, p, err := b.ceiling(ctx, 0, "")
	if err != nil {
		return err
	}
	before, _ := s.memory()
	b.report.put("media.idle_rss_mib", mebi(before))
	t := table{title: "media: documents up to /v1/media and down again, each on disk before its 201",
		about: fmt.Sprintf("Beside a bare net/http server that writes the same bytes to a file; %d at a time; %s.", mediaClients, b.method()),
		head:  []string{"", "MB/s", "ceiling MB/s", "ratio", "memory MiB"}}
	for i, size := range mediaSizes() {
		b.o.Tell("media", int64(i), int64(len(mediaSizes())))
		up, down, err := b.moveMedia(ctx, size<<20, &depot{s.process, "http://" + s.addr + "/v1/media", s.token}, &depot{p, "http://" + addr + "/v1/media", ""})
		if err != nil {
			return err
		}
		_, most := s.memory()
		b.report.put(fmt.Sprintf("media.%d.rss_mib", size), mebi(most))
		t.rows = append(t.rows, b.mediaRow(fmt.Sprintf("media.%d.up.", size), fmt.Sprintf("%d MiB up", size), size, up),
			b.mediaRow(fmt.Sprintf("media.%d.down.", size), fmt.Sprintf("%d MiB down", size), size, down))
	}
	row, err := b.crowd(ctx, &depot{s.process, "http://" + s.addr + "/v1/media", s.token})
	if err != nil {
		return err
	}
	t.rows = append(t.rows, row)
	_, all := s.memory()
	b.report.put("media.rss_mib", mebi(all))
	if v, ok := b.report.Figure("media.1.up.mb_per_s"); ok {
		b.report.put("media.mb_per_s", v)
	}
	b.report.tables = append(b.report.tables, t)
	b.report.note("media: memory is the most that the server has had so far; %.0f MiB when it was idle. The product seals what it keeps and hashes it.", mebi(before))
	return nil
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// moveMedia measures uploads and downloads of a size with both, in turn: product first, ceiling second.
func (b *bench) moveMedia(ctx context.Context, size int, depots ...*depot) (up, down [2]series, err error) {
	chance := rand.NewChaCha8([32]byte{})
	content := make([]byte, size)
	_, _ = chance.Read(content) // never fails
	copy(content, "%PDF-1.7\n")
	var ids [2]string
	for round := -1; round < Rounds; round++ { // the first one warms up
		for i, d := range depots {
			for _, way := range []struct {
				into *series
				one  func(ctx context.Context) error
			}{
				{&up[i], func(ctx context.Context) error {
					id, err := d.put(ctx, b.client, content)
					if round < 0 {
						ids[i] = id
					}
					return err
				}},
				{&down[i], func(ctx context.Context) error { return d.get(ctx, b.client, ids[i], size) }},
			} {
				clients := mediaClients
				if round < 0 {
					clients = 1 // who keeps the id
				}
				w, err := repeat(ctx, clients, b.round().span, way.one)
				if err != nil {
					return up, down, err
				}
				if round >= 0 {
					way.into.add(w)
				}
			}
		}
	}
	return up, down, nil
}

// repeat calls f from some goroutines for a time, and counts the calls.
func repeat(ctx context.Context, clients int, span time.Duration, f func(ctx context.Context) error) (window, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var w window
	var wg sync.WaitGroup
	began := time.Now()
	for range clients {
		wg.Go(func() {
			for ctx.Err() == nil && time.Since(began) < span {
				if err := f(ctx); err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				w.count++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	w.took = time.Since(began)
	return w, context.Cause(ctx)
}

// put uploads a medium and returns its id; the ceiling tells none.
func (d *depot) put(ctx context.Context, client *http.Client, content []byte) (string, error) {
	var answer struct {
		Media []struct {
			ID string `json:"id"`
		} `json:"media"`
	}
	err := d.do(ctx, client, http.MethodPost, d.url, bytes.NewReader(content), func(body io.Reader) error {
		text, err := io.ReadAll(body)
		if err != nil || len(text) == 0 {
			return err
		}
		return json.Unmarshal(text, &answer)
	})
	if err != nil || len(answer.Media) == 0 {
		return "", err
	}
	return answer.Media[0].ID, nil
}

// get downloads a medium.
func (d *depot) get(ctx context.Context, client *http.Client, id string, size int) error {
	return d.do(ctx, client, http.MethodGet, strings.TrimSuffix(d.url+"/"+id, "/"), http.NoBody, func(body io.Reader) error {
		n, err := io.Copy(io.Discard, body)
		if err == nil && n != int64(size) {
			err = fmt.Errorf("a download has %d bytes, want %d", n, size)
		}
		return err
	})
}

func (d *depot) do(ctx context.Context, client *http.Client, method, url string, body io.Reader, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/pdf")
	if d.token != "" {
		req.Header.Set("Authorization", "Bearer "+d.token)
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: answered %s", method, url, res.Status)
	} else {
		err = read(res.Body)
	}
	return errors.Join(err, res.Body.Close())
}

// mediaRow puts the figures of one direction and returns their row.
func (b *bench) mediaRow(prefix, title string, size int, of [2]series) []string {
	megabytes := float64(size<<20) / 1e6
	b.report.put(prefix+"mb_per_s", of[0].perSecond()*megabytes)
	b.report.put(prefix+"ceiling_mb_per_s", of[1].perSecond()*megabytes)
	b.report.put(prefix+"ratio", median(ratios(&of[0], &of[1])))
	return []string{title, "=" + prefix + "mb_per_s", "=" + prefix + "ceiling_mb_per_s", "=" + prefix + "ratio", fmt.Sprintf("=media.%d.rss_mib", size)}
}
