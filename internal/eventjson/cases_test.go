package eventjson_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kabar"
)

// example is an event that a golden object shows.
type example struct {
	name  string
	event *kabar.Event
}

var at = time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)

var ana = kabar.Customer{WaID: "34600111222", BSUID: "ES.1001", Name: "Ana"}

// cases are all examples, numbered as they stand.
func cases(t testing.TB) []example {
	t.Helper()
	all := append(received(t), append(statuses(), append(ofCustomers(), ofNumbers()...)...)...)
	for i, c := range all {
		c.event.Account, c.event.Number, c.event.Seq, c.event.At = number.Account, number.ID, int64(i+1), at.Add(time.Duration(i)*time.Second)
	}
	return all
}

func snapshot(t testing.TB, c kabar.Content) kabar.RawContent {
	t.Helper()
	raw, err := kabar.Snapshot(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func media(kind kabar.Kind, m kabar.Media) *kabar.Media {
	out := kabar.NewMedia(kind)
	out.ID, out.MIME, out.SHA256, out.Size = 21, m.MIME, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", 1204
	out.Caption, out.Filename, out.Voice, out.Pack = m.Caption, m.Filename, m.Voice, m.Pack
	return out
}

// received are messages of customers, one a kind of content, and what else a message may have.
func received(t testing.TB) []example {
	t.Helper()
	message := func(name string, c kabar.Content, more func(*kabar.Event)) example {
		ev := &kabar.Event{Kind: kabar.EventMessage, Customer: ana, Ref: 0x1122334455667788, Content: snapshot(t, c)}
		if more != nil {
			more(ev)
		}
		return example{"message.received " + name, ev}
	}
	return []example{
		message("text", &kabar.Text{Body: "Hola <ñ> & 👋"}, func(ev *kabar.Event) {
			ev.Identity = &kabar.Identity{Hash: "lF4k", Since: at.Add(-time.Hour), Acknowledged: true}
		}),
		message("image", media(kabar.KindImage, kabar.Media{MIME: "image/jpeg", Caption: "The door"}), nil),
		message("image that could not be fetched", &kabar.Media{}, func(ev *kabar.Event) {
			gone := kabar.NewMedia(kabar.KindImage)
			gone.MIME, gone.SHA256 = "image/jpeg", "9f86"
			ev.Content, ev.Failure = snapshot(t, gone), kabar.ReasonMediaDownload
		}),
		message("audio recorded in the chat", media(kabar.KindAudio, kabar.Media{MIME: "audio/ogg; codecs=opus", Voice: true}), nil),
		message("video", media(kabar.KindVideo, kabar.Media{MIME: "video/mp4"}), nil),
		message("document", media(kabar.KindDocument, kabar.Media{MIME: "application/pdf", Caption: "Signed", Filename: "contract.pdf"}), nil),
		message("sticker", media(kabar.KindSticker, kabar.Media{MIME: "image/webp", Pack: &kabar.StickerPack{ID: "p1", Name: "Cats", Publisher: "Someone", Emojis: []string{"🐈"}}}), nil),
		message("location", &kabar.Location{Latitude: 41.4036, Longitude: 2.1744, Name: "Sagrada Familia", Address: "Barcelona"}, nil),
		message("contacts", &kabar.Contacts{Cards: []kabar.Card{{Name: kabar.CardName{Formatted: "Budi S.", First: "Budi"}, Phones: []kabar.CardPhone{{Phone: "+62 811", Type: "CELL", WaID: "62811"}}}}}, nil),
		message("reply to a list", &kabar.Reply{Type: kabar.ListReply, ID: "row-2", Title: "Tomorrow", Description: "after 10"}, answers(true)),
		message("reply to a button", &kabar.Reply{Type: kabar.ButtonReply, ID: "yes", Title: "Yes"}, answers(true)),
		message("reply from a flow", &kabar.Reply{Type: kabar.FormReply, Form: &kabar.Form{Name: kabar.FormFlow, Body: "Sent", Response: `{"day":"2031-05-03"}`}}, answers(true)),
		message("button of a template", &kabar.Button{Text: "Track", Payload: "track-17"}, answers(true)),
		message("order", &kabar.Order{Catalog: "cat-1", Text: "Please", Items: []kabar.OrderItem{{RetailerID: "sku-1", Quantity: 2, Price: 12500, Currency: "EUR"}}}, nil),
		message("reaction", &kabar.Reaction{Emoji: "👍"}, func(ev *kabar.Event) { ev.TargetRef, ev.TargetOut = 0x42, true }),
		message("reaction taken back", &kabar.Reaction{Unknown: "0102030405060708090a0b0c0d0e0f10"}, nil),
		message("unsupported", &kabar.Unsupported{Ephemeral: true}, nil),
		message("text that quotes what only the network knows", &kabar.Text{Body: "this"}, func(ev *kabar.Event) { ev.Context.Unknown = "no id of ours" }),
		message("text from an ad, forwarded, about a product", &kabar.Text{Body: "Is it there?"}, func(ev *kabar.Event) {
			ev.Customer = kabar.Customer{BSUID: "ES.77", Name: "Somebody"}
			ev.Context = kabar.Context{Forwarded: true, Frequent: true, Product: &kabar.ProductRef{Catalog: "cat-1", RetailerID: "sku-1"},
				Referral: &kabar.Referral{Headline: "Spring", Body: "All new", SourceType: "ad", SourceID: "17", SourceURL: "https://fb.example/17", Kind: kabar.KindVideo, Medium: 22}}
		}),
	}
}

func answers(own bool) func(*kabar.Event) {
	return func(ev *kabar.Event) { ev.ReplyRef, ev.ReplyOut = 0x42, own }
}

// statuses tell how far messages of the business have come.
func statuses() []example {
	status := func(name string, ev kabar.Event) example {
		ev.Kind, ev.Customer, ev.Ref = kabar.EventStatus, ana, 0x42
		return example{"message." + ev.Status.String() + name, &ev}
	}
	return []example{
		status("", kabar.Event{Status: kabar.Sent, Of: kabar.KindTemplate, Callback: "order 17", Category: kabar.CategoryMarketing}),
		status("", kabar.Event{Status: kabar.Delivered, Of: kabar.KindText, Category: kabar.CategoryService}),
		status(" priced by itself, free by its entry point", kabar.Event{Status: kabar.Delivered, Of: kabar.KindTemplate, Category: kabar.CategoryService,
			Class: kabar.CategoryUtility, Pricing: kabar.PricingFreeEntry}),
		status("", kabar.Event{Status: kabar.Read, Of: kabar.KindReaction, Category: kabar.CategoryService}),
		status("", kabar.Event{Status: kabar.Played, Of: kabar.KindAudio}),
		status("", kabar.Event{Status: kabar.Failed, Of: kabar.KindText, Failure: kabar.ReasonWindowClosed, Category: kabar.CategoryService}),
		status(" by the medium of a card", kabar.Event{Status: kabar.Failed, Of: kabar.KindTemplate, Failure: kabar.ReasonMediaDownload, Card: 2}),
		status(" for a rare reason", kabar.Event{Status: kabar.Failed, Of: kabar.KindTemplate, Failure: kabar.ReasonTemplatePaused}),
	}
}

func ofCustomers() []example {
	return []example{
		{"message.deleted", &kabar.Event{Kind: kabar.EventDeleted, Customer: ana, Ref: 0x1122334455667788}},
		{"customer.identity_changed", &kabar.Event{Kind: kabar.EventIdentity, Customer: ana, Hash: "bM2s"}},
		{"customer.number_changed", &kabar.Event{Kind: kabar.EventNumber, Customer: ana, NewWaID: "34600999888"}},
		{"customer.consent_changed", &kabar.Event{Kind: kabar.EventConsent, Customer: ana, Consent: kabar.ConsentOut, Detail: "word STOP"}},
	}
}

func ofNumbers() []example {
	change := func(c kabar.TemplateChange) *kabar.Event {
		c.ID, c.Name, c.Language = 1234567890123456, "order_shipped", "en"
		return &kabar.Event{Kind: kabar.EventTemplate, Template: &c}
	}
	return []example{
		{"contacts.checked", &kabar.Event{Kind: kabar.EventContacts, Contacts: []kabar.Contact{{Input: "+34 600 111 222", Status: kabar.ContactValid, Handle: "34600111222"},
			{Input: "ES.77", Status: kabar.ContactValid, Handle: "ES.77"}, {Input: "12", Status: kabar.ContactInvalid}}}},
		{"number.collected", &kabar.Event{Kind: kabar.EventCollected, Collected: &kabar.Collected{What: kabar.CollectMedia, Removed: 12}}},
		{"number.fault", &kabar.Event{Kind: kabar.EventFault, Failure: kabar.ReasonUnregistered, Detail: "The network does not know the number any more."}},
		{"number.pin_changed", &kabar.Event{Kind: kabar.EventSecurity}},
		{"number.name_reviewed", &kabar.Event{Kind: kabar.EventName, Name: "Best Shop Ever!!", Outcome: kabar.OutcomeRejected, Declined: kabar.NameFormat}},
		{"number.limits_changed", &kabar.Event{Kind: kabar.EventLimits, Limits: &kabar.LimitChange{Was: kabar.StartingLimits(), Now: kabar.Limits{Throughput: kabar.ThroughputHigh, PairRate: true, Tier: kabar.TierUnlimited}}}},
		{"account.reviewed", &kabar.Event{Kind: kabar.EventReview, Outcome: kabar.OutcomeApproved}},
		{"account.credit_low", &kabar.Event{Kind: kabar.EventCredit, Credit: &kabar.CreditAlert{Percent: 80, Limit: 10_000_000, Available: 1_950_000, Currency: "EUR"}}},
		{"template.changed status", change(kabar.TemplateChange{Kind: kabar.NewsStatus, Status: kabar.TemplateRejected, Category: kabar.CategoryUtility, Event: "REJECTED",
			Reason: kabar.RejectedFormat, Advice: "Number the placeholders from {{1}}."})},
		{"template.changed status, disabled", change(kabar.TemplateChange{Kind: kabar.NewsStatus, Status: kabar.TemplateDisabled, Category: kabar.CategoryMarketing, Event: "DISABLED",
			Title: kabar.TitleDisabled, Description: "Customers have blocked the number too often.", At: at})},
		{"template.changed quality", change(kabar.TemplateChange{Kind: kabar.NewsQuality, Status: kabar.TemplateApproved, Category: kabar.CategoryUtility, Before: kabar.ScoreGreen, Score: kabar.ScoreYellow})},
		{"template.changed category", change(kabar.TemplateChange{Kind: kabar.NewsCategory, Status: kabar.TemplateApproved, Category: kabar.CategoryUtility, Correct: kabar.CategoryMarketing, At: at.Add(24 * time.Hour)})},
		{"template.changed components", change(kabar.TemplateChange{Kind: kabar.NewsComponents, Status: kabar.TemplatePending, Category: kabar.CategoryUtility,
			Components: []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: "Order {{1}} is on its way."}}})},
		{"endpoint.changed", &kabar.Event{Kind: kabar.EventEndpoint, Endpoint: &kabar.EndpointChange{ID: "ep_7", State: kabar.EndpointSuspended, Reason: "Nothing was taken for five days.", By: kabar.ByServer}}},
		{"endpoint.changed by its owner", &kabar.Event{Kind: kabar.EventEndpoint, Endpoint: &kabar.EndpointChange{ID: "ep_7", State: kabar.EndpointPaused, By: "key 3f8a0c91b2de"}}},
	}
}

// reasons are all constants of type Reason in the vocabulary's source.
func reasons(t *testing.T) (all []kabar.Reason) {
	t.Helper()
	files, err := filepath.Glob("../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			kind, typed := v.Type.(*ast.Ident)
			text, literal := v.Values[0].(*ast.BasicLit)
			if typed && literal && kind.Name == "Reason" {
				words, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, kabar.Reason(words))
			}
			return true
		})
	}
	return all
}
