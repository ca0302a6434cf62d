package onprem

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"kabar"
)

// application are the application settings (contract 1.7), in requests and answers. In a PATCH what is nil stays as it is.
type application struct {
	BackoffDelay *whole `json:"callback_backoff_delay_ms,omitzero"`
	BackoffCap   *whole `json:"max_callback_backoff_delay_ms,omitzero"`
	Persist      *bool  `json:"callback_persist,omitzero"`
	Media        struct {
		AutoDownload *[]string `json:"auto_download,omitzero"`
	} `json:"media"`
	Webhooks struct {
		URL           *string `json:"url,omitzero"`
		MaxConcurrent *whole  `json:"max_concurrent_requests,omitzero"`
		Message       struct {
			Sent      *bool `json:"sent,omitzero"`
			Delivered *bool `json:"delivered,omitzero"`
			Read      *bool `json:"read,omitzero"`
		} `json:"message"`
	} `json:"webhooks"`
	SentStatus  *bool `json:"sent_status,omitzero"` // the old name of webhooks.message.sent
	PassThrough *bool `json:"pass_through,omitzero"`
	DBGarbage   *bool `json:"db_garbagecollector_enable,omitzero"`
	Garbage     struct {
		Messages *bool `json:"messages,omitzero"`
		Media    *bool `json:"media,omitzero"`
	} `json:"garbagecollector_enable"`
	Heartbeat         *whole  `json:"heartbeat_interval,omitzero"`
	Unhealthy         *whole  `json:"unhealthy_interval,omitzero"`
	NotifyChange      *bool   `json:"notify_user_change_number,omitzero"`
	ShowSecurity      *bool   `json:"show_security_notifications,omitzero"`
	SkipReferralMedia *bool   `json:"skip_referral_media_download,omitzero"`
	AxolotlStriping   *bool   `json:"axolotl_context_striping_disabled,omitzero"`
	OnCallPager       *string `json:"on_call_pager,omitzero"`
	NoPricingModel    *bool   `json:"webhook_payload_conversation_pricingmodel_disabled,omitzero"`
	VerboseLogging    *bool   `json:"verbose_logging,omitzero"`
	LogLevel          *string `json:"log_level,omitzero"`
	WaID              *string `json:"wa_id,omitzero"` // read-only
}

// concurrencies are the allowed numbers of webhook requests in flight.
var concurrencies = []int{6, 12, 18, 24}

// downloads are the kinds of media that may be fetched when they arrive.
var downloads = []string{"audio", "document", "voice", "video", "image", "sticker"}

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

// httpsOnly is the rule for webhook URLs of a server that does not say otherwise.
func httpsOnly(raw string) error {
	if u, err := url.Parse(raw); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return errors.New("must be an https:// URL with a host name")
	}
	return nil
}

// check refuses values out of range.
func (p *application) check(n *kabar.Number) error {
	for _, d := range []struct {
		field string
		value *whole
		least whole
		most  whole
	}{
		{"callback_backoff_delay_ms", p.BackoffDelay, 1, maxDelay},
		{"max_callback_backoff_delay_ms", p.BackoffCap, 1, maxDelay},
		{"heartbeat_interval", p.Heartbeat, 1, 86_400},
		{"unhealthy_interval", p.Unhealthy, 1, 86_400},
	} {
		if d.value != nil && (*d.value < d.least || *d.value > d.most) {
			return kabar.Refuse(kabar.ReasonInvalid, d.field, "is %d, allowed are %d to %d", *d.value, d.least, d.most)
		}
	}
	if c := p.Webhooks.MaxConcurrent; c != nil && !slices.Contains(concurrencies, int(*c)) {
		return kabar.Refuse(kabar.ReasonInvalid, "webhooks.max_concurrent_requests", "is %d, allowed are 6, 12, 18 and 24", *c)
	}
	if p.Media.AutoDownload != nil {
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
	set(&s.AutoDownload, p.Media.AutoDownload)
	set(&s.SentEvents, p.SentStatus)
	set(&s.SentEvents, p.Webhooks.Message.Sent)
	set(&s.DeliveredEvents, p.Webhooks.Message.Delivered)
	set(&s.ReadEvents, p.Webhooks.Message.Read)
	set(&s.NotifyChange, p.NotifyChange)
	set(&s.ShowSecurity, p.ShowSecurity)
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
	delay, most, parallel := whole(s.BackoffStep.Milliseconds()), whole(s.BackoffCap.Milliseconds()), whole(s.Concurrency)
	p.BackoffDelay, p.BackoffCap, p.Webhooks.MaxConcurrent = &delay, &most, &parallel
	kinds := append([]string{}, s.AutoDownload...) // an empty list is a list
	p.Media.AutoDownload = &kinds
	p.Webhooks.URL, p.WaID = &url, &n.Digits
	p.SentStatus, p.Webhooks.Message.Sent = &s.SentEvents, &s.SentEvents
	p.Webhooks.Message.Delivered, p.Webhooks.Message.Read = &s.DeliveredEvents, &s.ReadEvents
	p.NotifyChange, p.ShowSecurity = &s.NotifyChange, &s.ShowSecurity
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

func milliseconds(to *time.Duration, from *whole) {
	if from != nil {
		*to = time.Duration(*from) * time.Millisecond
	}
}
