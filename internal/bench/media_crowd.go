package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// A crowd uploads at the same time: so many clients, one medium of so many MiB each.
const (
	crowdClients  = 100
	crowdSize     = 16
	crowdPatience = 5 * time.Minute
)

// crowd has a crowd of clients upload at the same time, no two the same bytes, and returns the row that tells how fast that
// was and how much memory the server needed. It has no ceiling beside it: the memory is what counts.
func (b *bench) crowd(ctx context.Context, d *depot) ([]string, error) {
	chance := rand.NewChaCha8([32]byte{1})
	content := make([]byte, crowdSize<<20-16)
	_, _ = chance.Read(content) // never fails
	client := &http.Client{Timeout: crowdPatience, Transport: &http.Transport{MaxIdleConnsPerHost: crowdClients}}
	defer client.CloseIdleConnections()
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for i := range crowdClients {
		g.Go(func() error {
			head := binary.BigEndian.AppendUint64([]byte("%PDF-1.7"), uint64(i))
			body := io.MultiReader(bytes.NewReader(head), bytes.NewReader(content))
			return d.do(ctx, client, http.MethodPost, d.url, body, func(r io.Reader) error {
				_, err := io.Copy(io.Discard, r)
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	_, most := d.memory()
	b.report.put("media.crowd.mb_per_s", float64(crowdClients*crowdSize<<20)/1e6/time.Since(began).Seconds())
	b.report.put("media.crowd.rss_mib", mebi(most))
	return []string{fmt.Sprintf("%d MiB up, %d at a time", crowdSize, crowdClients), "=media.crowd.mb_per_s", "", "", "=media.crowd.rss_mib"}, nil
}
