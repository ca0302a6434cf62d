package onprem

import (
	"encoding/json"
	"fmt"
)

// kept are the settings that are stored and reported and have no effect here: they concern parts that this server does not
// have, or would break one of its promises (callback_persist, pass_through).
func (p *application) kept() []kept {
	return []kept{
		keep("callback_persist", &p.Persist, true),
		keep("pass_through", &p.PassThrough, false),
		keep("db_garbagecollector_enable", &p.DBGarbage, true),
		keep("garbagecollector_enable.messages", &p.Garbage.Messages, true),
		keep("garbagecollector_enable.media", &p.Garbage.Media, false),
		keep("heartbeat_interval", &p.Heartbeat, 5),
		keep("unhealthy_interval", &p.Unhealthy, 30),
		keep("skip_referral_media_download", &p.SkipReferralMedia, false),
		keep("axolotl_context_striping_disabled", &p.AxolotlStriping, false),
		keep("verbose_logging", &p.VerboseLogging, false),
		keep("log_level", &p.LogLevel, "info"),
		keepUnset("on_call_pager", &p.OnCallPager),
		keepUnset("webhook_payload_conversation_pricingmodel_disabled", &p.NoPricingModel),
	}
}

// kept is one of them: how it gets into the stored map, and out of it.
type kept struct {
	store func(map[string]any)
	load  func(map[string]any) error
}

// keep describes a setting with a default, keepUnset one that is not reported until it is set.
func keep[T any](name string, field **T, byDefault T) kept { return keepOr(name, field, &byDefault) }

func keepUnset[T any](name string, field **T) kept { return keepOr(name, field, nil) }

func keepOr[T any](name string, field **T, byDefault *T) kept {
	return kept{
		store: func(m map[string]any) {
			if *field != nil {
				m[name] = **field
			}
		},
		load: func(m map[string]any) error {
			*field = byDefault
			v, ok := m[name]
			if !ok {
				return nil
			}
			plain, err := json.Marshal(v) // through JSON: that is what the store makes of it
			if err == nil {
				*field = new(T)
				err = json.Unmarshal(plain, *field)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		},
	}
}
