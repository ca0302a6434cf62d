package onprem

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/web"
)

// application are the application settings (contract 1.7), in requests and answers. In a PATCH what is nil stays as it is.
type application struct {
	BackoffDelay *web.IntOrString `json:"callback_backoff_delay_ms,omitzero"`
	BackoffCap   *web.IntOrString `json:"max_callback_backoff_delay_ms,omitzero"`
	Persist      *bool            `json:"callback_persist,omitzero"`
	Media        struct {
		AutoDownload *[]string `json:"auto_download,omitzero"`
	} `json:"media"`
	Webhooks struct {
		URL           *string          `json:"url,omitzero"`
		MaxConcurrent *web.IntOrString `json:"max_concurrent_requests,omitzero"`
		Batch         *web.IntOrString `json:"batch,omitzero"` // not of the original
		Message       struct {
			Sent      *bool `json:"sent,omitzero"`
			Delivered *bool `json:"delivered,omitzero"`
			Read      *bool `json:"read,omitzero"`
		} `json:"message"`
	} `json:"webhooks"`
	SentStatus  *bool `json:"sent_status,omitzero"` // the old name of webhooks.message.sent
	PassThrough *bool `json:"pass_through,omitzero"`
	DBGarbage   *bool `json:"db_garbagecollector_enable,omitzero"` // the old name of garbagecollector_enable.messages
	Garbage     struct {
		Messages *bool `json:"messages,omitzero"`
		Media    *bool `json:"media,omitzero"`
	} `json:"garbagecollector_enable"`
	Heartbeat         *web.IntOrString `json:"heartbeat_interval,omitzero"`
	Unhealthy         *web.IntOrString `json:"unhealthy_interval,omitzero"`
	NotifyChange      *bool            `json:"notify_user_change_number,omitzero"`
	ShowSecurity      *bool            `json:"show_security_notifications,omitzero"`
	SkipReferralMedia *bool            `json:"skip_referral_media_download,omitzero"`
	AxolotlStriping   *bool            `json:"axolotl_context_striping_disabled,omitzero"`
	OnCallPager       *string          `json:"on_call_pager,omitzero"`
	NoPricingModel    *bool            `json:"webhook_payload_conversation_pricingmodel_disabled,omitzero"`
	VerboseLogging    *bool            `json:"verbose_logging,omitzero"`
	LogLevel          *string          `json:"log_level,omitzero"`
	AnswerContacts    *bool            `json:"answer_contacts,omitzero"` // not of the original
	WaID              *string          `json:"wa_id,omitzero"`           // read-only
}

// concurrencies are the allowed numbers of webhook requests in flight.
var concurrencies = []int{6, 12, 18, 24}

// downloads are the kinds of media that may be fetched when they arrive.
var downloads = []string{"audio", "document", "voice", "video", "image", "sticker"}

// maxBatch is how many events a webhook request may have at most.
const maxBatch = 10

// maxDelay is the longest back-off that can be set, in milliseconds: a day.
const maxDelay = 24 * 60 * 60 * 1000

// settings: GET /v1/settings/application.
func (a *API) settings(x *exchange) error {
	number, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	s, err := a.engine.Settings(x.number())
	if err != nil {
		return err
	}
	endpoint, err := a.engine.Endpoint(x.r.Context(), x.number())
	if err != nil {
		return err
	}
	shown, err := show(number, s, endpoint.URL)
	if err != nil {
		return err
	}
	return x.reply("settings", map[string]*application{"application": shown})
}

// changeSettings: PATCH /v1/settings/application changes what the body names.
func (a *API) changeSettings(x *exchange) error {
	var body application
	if err := x.decode(&body); err != nil {
		return err
	}
	number, err := a.engine.Number(x.number())
	if err != nil {
		return err
	}
	if err := body.check(number); err != nil {
		return err
	}
	if u := body.Webhooks.URL; u != nil && *u != "" {
		if err := a.checkURL(*u); err != nil {
			return kabar.Refuse(kabar.ReasonInvalid, "webhooks.url", "%s", err.Error())
		}
	}
	if err := a.engine.ChangeSettings(x.r.Context(), x.number(), body.apply); err != nil {
		return err
	}
	return x.done()
}

// resetSettings: DELETE /v1/settings/application brings all of them back to their defaults, the URL included.
func (a *API) resetSettings(x *exchange) error {
	err := a.engine.ChangeSettings(x.r.Context(), x.number(), func(s *kabar.Settings, url *string) error {
		engine.ResetSettings(s)
		*url = ""
		return nil
	})
	if err != nil {
		return err
	}
	return x.done()
}

// check refuses values out of range.
func (p *application) check(n *kabar.Number) error {
	for _, d := range []struct {
		field string
		value *web.IntOrString
		least web.IntOrString
		most  web.IntOrString
	}{
		{"callback_backoff_delay_ms", p.BackoffDelay, 1, maxDelay},
		{"max_callback_backoff_delay_ms", p.BackoffCap, 1, maxDelay},
		{"heartbeat_interval", p.Heartbeat, 1, 86_400},
		{"unhealthy_interval", p.Unhealthy, 1, 86_400},
		{"webhooks.batch", p.Webhooks.Batch, 1, maxBatch},
	} {
		if d.value != nil && (*d.value < d.least || *d.value > d.most) {
			return kabar.Refuse(kabar.ReasonInvalid, d.field, "is %d, allowed are %d to %d", *d.value, d.least, d.most)
		}
	}
	for field, text := range map[string]*string{"log_level": p.LogLevel, "on_call_pager": p.OnCallPager} {
		if text != nil && len(*text) > maxKeptText {
			return kabar.Refuse(kabar.ReasonInvalid, field, "has %d bytes, the limit is %d", len(*text), maxKeptText)
		}
	}
	if c := p.Webhooks.MaxConcurrent; c != nil && !slices.Contains(concurrencies, int(*c)) {
		return kabar.Refuse(kabar.ReasonInvalid, "webhooks.max_concurrent_requests", "is %d, allowed are 6, 12, 18 and 24", *c)
	}
	if p.Media.AutoDownload != nil {
		if n := len(*p.Media.AutoDownload); n > len(downloads) {
			return kabar.Refuse(kabar.ReasonInvalid, "media.auto_download", "has %d entries, there are %d kinds", n, len(downloads))
		}
		for i, kind := range *p.Media.AutoDownload {
			if !slices.Contains(downloads, kind) {
				return kabar.Refuse(kabar.ReasonInvalid, fmt.Sprintf("media.auto_download[%d]", i), "is %q, allowed are %s", kind,
					strings.Join(downloads, ", "))
			}
		}
	}
	if p.WaID != nil && *p.WaID != n.Digits {
		return kabar.Refuse(kabar.ReasonInvalid, "wa_id", "is read-only")
	}
	return nil
}

// apply changes s and the URL. It may run more than once.
func (p *application) apply(s *kabar.Settings, url *string) error {
	milliseconds(&s.BackoffStep, p.BackoffDelay)
	milliseconds(&s.BackoffCap, p.BackoffCap)
	if c := p.Webhooks.MaxConcurrent; c != nil {
		s.Concurrency = int(*c)
	}
	if b := p.Webhooks.Batch; b != nil {
		s.Batch = int(*b)
	}
	set(&s.AutoDownload, p.Media.AutoDownload)
	set(&s.SentEvents, p.SentStatus)
	set(&s.SentEvents, p.Webhooks.Message.Sent)
	set(&s.DeliveredEvents, p.Webhooks.Message.Delivered)
	set(&s.ReadEvents, p.Webhooks.Message.Read)
	set(&s.NotifyChange, p.NotifyChange)
	set(&s.ShowSecurity, p.ShowSecurity)
	set(&s.SkipReferral, p.SkipReferralMedia)
	unset(&s.KeepMessages, p.DBGarbage)
	unset(&s.KeepMessages, p.Garbage.Messages)
	set(&s.CollectMedia, p.Garbage.Media)
	set(url, p.Webhooks.URL)
	if s.OnPremSetting == nil {
		s.OnPremSetting = map[string]any{}
	}
	for _, k := range p.kept() {
		k.store(s.OnPremSetting)
	}
	return nil
}

// show returns the settings as GET answers them.
func show(n *kabar.Number, s kabar.Settings, url string) (*application, error) {
	p := &application{}
	delay, most, parallel := web.IntOrString(s.BackoffStep.Milliseconds()), web.IntOrString(s.BackoffCap.Milliseconds()), web.IntOrString(s.Concurrency)
	p.BackoffDelay, p.BackoffCap, p.Webhooks.MaxConcurrent = &delay, &most, &parallel
	batch := web.IntOrString(max(s.Batch, 1))
	p.Webhooks.Batch = &batch
	kinds := append([]string{}, s.AutoDownload...) // an empty list is a list
	p.Media.AutoDownload = &kinds
	p.Webhooks.URL, p.WaID = &url, &n.Digits
	p.SentStatus, p.Webhooks.Message.Sent = &s.SentEvents, &s.SentEvents
	p.Webhooks.Message.Delivered, p.Webhooks.Message.Read = &s.DeliveredEvents, &s.ReadEvents
	p.NotifyChange, p.ShowSecurity, p.SkipReferralMedia = &s.NotifyChange, &s.ShowSecurity, &s.SkipReferral
	collect := !s.KeepMessages
	p.DBGarbage, p.Garbage.Messages, p.Garbage.Media = &collect, &collect, &s.CollectMedia
	for _, k := range p.kept() {
		if err := k.load(s.OnPremSetting); err != nil {
			return nil, fmt.Errorf("read the settings of %s: %w", n.Digits, err)
		}
	}
	return p, nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// unset sets to the opposite.
func unset(to, from *bool) {
	if from != nil {
		*to = !*from
	}
}

func milliseconds(to *time.Duration, from *web.IntOrString) {
	if from != nil {
		*to = time.Duration(*from) * time.Millisecond
	}
}
