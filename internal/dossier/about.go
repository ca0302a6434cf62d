package dossier

import (
	"archive/zip"
	"context"
	"fmt"
	"strconv"
	"time"

	"kabar"
)

// readme explains the archive.
func (a *archive) readme(context.Context) error {
	w, err := a.file("README.txt", zip.Deflate)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, `What is held of one customer, as of %s.

customer.json
    What the customer is called, and of each conversation with a number of the business: the name of the customer's own profile, when they
    last wrote, whether the number may answer freely and until when (window), the fingerprint of the customer's encryption keys, who
    has blocked whom, and the folder that its messages are in. Then the broadcasts that they are in the list of, with what is filled in for
    them.

consent.json
    Whether the customer has agreed to marketing, and each time that this was recorded: when, how it was heard, and what proves it,
    oldest first.

conversations/NUMBER/messages.json
    Every message both ways, newest first: its content, the status it has come to and when it came to each (timeline), what it was judged
    as, what it costs (price, of the business's messages), and the files of its media. Messages that are older than the business keeps
    messages are not there any more.

media/
    Pictures, films, recordings and documents, by the names that messages.json gives them. A file that messages.json names and that is not
    here is lost.

Times are UTC. Not in this archive, because it says nothing more about the customer: encryption sessions, copies of these messages that wait
to be delivered to the business's own applications, and counts that name nobody. What the customer has on the phone is the customer's.
`, a.now.UTC().Format(time.RFC3339))
	return err
}

// customer writes who the customer is and how each conversation stands.
func (a *archive) customer(ctx context.Context) error {
	account, err := a.o.Store.Account(ctx, a.person.Account)
	if err != nil {
		return err
	}
	all, err := a.conversations(ctx)
	if err != nil {
		return err
	}
	if all == nil {
		all = []conversation{}
	}
	in, err := a.broadcasts(ctx)
	if err != nil {
		return err
	}
	return a.json("customer.json", map[string]any{"account": account.Name, "called": a.person.Handles, "exported": a.now.UTC(), "conversations": all,
		"broadcasts": in})
}

// place is one in the list of a broadcast.
type place struct {
	Broadcast string            `json:"broadcast"`
	Row       int               `json:"row"`
	Called    string            `json:"called"`
	Values    map[string]string `json:"values"`
}

// maxPlaces is how many places under one handle are shown: somebody who is in more broadcasts is no person.
const maxPlaces = 10_000

// broadcasts returns the broadcasts that the customer is in the list of.
func (a *archive) broadcasts(ctx context.Context) ([]place, error) {
	all := []place{}
	for _, h := range a.person.Handles {
		rows, err := a.o.Store.RecipientRows(ctx, a.person.Account, h, maxPlaces)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			all = append(all, place{strconv.FormatUint(a.o.Store.Node(int64(r.Broadcast)), 10), r.Row, h, r.Values})
		}
	}
	return all, nil
}

// agreed is what the customer has agreed to under one handle.
type agreed struct {
	Called  string               `json:"called"`
	State   kabar.ConsentState   `json:"state"`
	Since   time.Time            `json:"since,omitzero"`
	History []kabar.ConsentEntry `json:"history"`
}

// consentPage is how many entries are read at a time.
const consentPage = 500

// consent writes what the customer has agreed to.
func (a *archive) consent(ctx context.Context) error {
	return a.list("consent.json", func(add func(any) error) error {
		for _, h := range a.person.Handles {
			c, err := a.o.Store.Consent(ctx, a.person.Account, h)
			if err != nil {
				return err
			}
			of := agreed{Called: h, State: c.State, Since: c.At, History: []kabar.ConsentEntry{}}
			for after, more := int64(0), true; more; {
				var page []kabar.ConsentEntry
				if page, after, err = a.o.Store.ConsentEntries(ctx, a.person.Account, h, after, consentPage); err != nil {
					return err
				}
				of.History, more = append(of.History, page...), len(page) == consentPage
			}
			if err := add(of); err != nil {
				return err
			}
		}
		return nil
	})
}
