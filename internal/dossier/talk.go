package dossier

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"mime"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// conversation is how a conversation stands, in customer.json.
type conversation struct {
	Folder          string        `json:"folder"`
	Number          string        `json:"number"`
	WaID            string        `json:"wa_id,omitempty"`
	BSUID           string        `json:"bsuid,omitempty"`
	FormerWaID      string        `json:"former_wa_id,omitempty"`
	Name            string        `json:"name,omitempty"`
	LastWrote       time.Time     `json:"last_wrote,omitzero"`
	Window          window        `json:"window"`
	Identity        string        `json:"identity_key_hash,omitempty"`
	IdentitySince   time.Time     `json:"identity_since,omitzero"`
	HasBlocked      bool          `json:"has_blocked_the_number"`
	IsBlockedSince  time.Time     `json:"is_blocked_since,omitzero"`
	WroteByAd       time.Time     `json:"wrote_by_ad,omitzero"`
	BillingCategory string        `json:"billing_category,omitempty"`
	BillingExpires  time.Time     `json:"billing_expires,omitzero"`
	talk            store.Talk    // not written
	number          *kabar.Number // not written
}

type window struct {
	Open       bool               `json:"open"`
	Since      time.Time          `json:"since,omitzero"`
	Until      time.Time          `json:"until,omitzero"`
	Reason     kabar.WindowReason `json:"reason"`
	EntryPoint time.Time          `json:"entry_point_until,omitzero"`
}

// conversations reads how the conversations stand.
func (a *archive) conversations(ctx context.Context) (all []conversation, err error) {
	a.names = map[string]int{}
	for _, t := range a.person.Talks {
		n, _, err := a.o.Store.Number(ctx, t.Number)
		if err != nil {
			return nil, err
		}
		c, err := a.o.Store.Conversation(ctx, t.Number, t.Conversation)
		if err != nil {
			return nil, err
		}
		w := c.WindowState(a.now)
		all = append(all, conversation{Folder: a.folder(n), Number: n.Digits, WaID: c.Customer.WaID, BSUID: c.Customer.BSUID, FormerWaID: c.Customer.Former,
			Name: c.Customer.Name, LastWrote: c.LastInbound, Window: window{w.Open, w.Since, w.Until, w.Reason, w.EntryPoint},
			Identity: c.IdentityHash, IdentitySince: c.IdentitySince, HasBlocked: c.Blocked, IsBlockedSince: c.Barred, WroteByAd: c.AdTapped,
			BillingCategory: string(c.Billing.Category), BillingExpires: c.Billing.Expires, talk: t, number: n})
	}
	return all, nil
}

// folder names the folder of a conversation with a number, which may have had several with the customer.
func (a *archive) folder(n *kabar.Number) string {
	name := "conversations/" + n.Digits
	if a.names[name]++; a.names[name] > 1 {
		name += "-" + strconv.Itoa(a.names[name])
	}
	return name
}

// talks writes the messages of each conversation, newest first, and their media.
func (a *archive) talks(ctx context.Context) error {
	all, err := a.conversations(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if err := a.messages(ctx, &all[i]); err != nil {
			return err
		}
	}
	for i := range all { // a file of the archive ends where the next begins
		if err := a.walk(ctx, &all[i], func(m *kabar.Message) error { return a.files(ctx, m) }); err != nil {
			return err
		}
	}
	return nil
}

// message is a message as messages.json has it.
type message struct {
	*trace.Message
	Media []string `json:"media,omitempty"` // files of the archive
	Price *price   `json:"price,omitempty"`
}

type price struct {
	Amount   kabar.Money `json:"amount"`
	Currency string      `json:"currency"`
	Rate     string      `json:"rate"`
}

func (a *archive) messages(ctx context.Context, of *conversation) error {
	c, err := a.o.Store.Conversation(ctx, of.talk.Number, of.talk.Conversation)
	if err != nil {
		return err
	}
	tell := a.o.Trace.Talk(of.number, c)
	return a.list(of.Folder+"/messages.json", func(add func(any) error) error {
		return a.walk(ctx, of, func(m *kabar.Message) error {
			told, err := tell(ctx, m)
			if err != nil {
				return err
			}
			told.Deliveries = nil // how far the business's own applications are is nothing of the customer's
			out := message{Message: told}
			if out.Price, err = a.price(ctx, m); err != nil {
				return err
			}
			for _, id := range m.StoredMedia() {
				name, err := a.name(ctx, medium{m.Number, id})
				if err != nil {
					return err
				}
				if name != "" {
					out.Media = append(out.Media, name)
				}
			}
			a.done.Messages++
			a.step(a.done)
			return add(out)
		})
	})
}

// historyPage is how many messages are read at a time.
const historyPage = 100

// walk calls each for the messages of a conversation, newest first.
func (a *archive) walk(ctx context.Context, of *conversation, each func(*kabar.Message) error) error {
	for from := kabar.MessageID(0); ; {
		page, err := a.o.Store.History(ctx, of.talk.Number, of.talk.Conversation, from, historyPage)
		if store.IsNotFound(err) && from != 0 { // the older ones have been collected
			return nil
		}
		if err != nil {
			return err
		}
		for _, m := range page {
			if err := each(m); err != nil {
				return err
			}
		}
		if len(page) < historyPage || page[len(page)-1].Prev == 0 {
			return nil
		}
		from = page[len(page)-1].Prev
	}
}

func (a *archive) price(ctx context.Context, m *kabar.Message) (*price, error) {
	if m.Charge == 0 {
		return nil, nil
	}
	e, err := a.o.Store.LedgerEntry(ctx, m.Account, m.Charge)
	if err != nil {
		return nil, err
	}
	return &price{e.Amount, e.Currency, e.Rate}, nil
}

// plainExt is an extension that no system takes for anything but a name.
var plainExt = regexp.MustCompile(`^\.[A-Za-z0-9]{1,8}$`)

// name returns the file of a medium; empty for one that has been removed.
func (a *archive) name(ctx context.Context, k medium) (string, error) {
	if name, known := a.seen[k]; known {
		return name, nil
	}
	m, err := a.o.Store.Medium(ctx, k.number, k.id)
	if store.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	ext := path.Ext(m.Filename)
	if !plainExt.MatchString(ext) {
		kind, _, _ := mime.ParseMediaType(m.MIME) // what cannot be read has no extension
		_, kind, _ = strings.Cut(kind, "/")
		if ext = "." + kind; !plainExt.MatchString(ext) {
			ext = ".bin"
		}
	}
	a.seen[k] = fmt.Sprintf("media/%d%s", a.o.Store.HideMedia(k.id), ext)
	return a.seen[k], nil
}

// files writes the media of a message that have not been written yet. One whose file is lost is left out.
func (a *archive) files(ctx context.Context, m *kabar.Message) error {
	for _, id := range m.StoredMedia() {
		k := medium{m.Number, id}
		name := a.seen[k]
		if name == "" {
			continue
		}
		a.seen[k] = "" // written
		stored, err := a.o.Store.Medium(ctx, k.number, k.id)
		if store.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		r, err := a.o.Media.OpenReader(stored.File, stored.Key, stored.Size)
		if err != nil {
			continue
		}
		w, err := a.file(name, zip.Store)
		if err == nil {
			_, err = io.Copy(w, r)
		}
		_ = r.Close() // everything has been read, or the error is known
		if err != nil {
			return err
		}
		a.done.Media++
		a.step(a.done)
	}
	return nil
}
