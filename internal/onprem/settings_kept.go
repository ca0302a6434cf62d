package onprem

import (
	"encoding/json"
	"fmt"
)

// Kept settings that this dialect goes by: when it renders a status, and when it answers that a message was accepted.
const (
	noPricingModel = "webhook_payload_conversation_pricingmodel_disabled"
	answerContacts = "answer_contacts"
)

// maxKeptText is the longest text that is kept, in bytes: all settings must fit into the body of a restore.
const maxKeptText = 256

// kept are the settings that only this dialect knows. All but these two are stored and reported and have no effect here:
// they concern parts that this server does not have, or would break one of its promises (callback_persist, pass_through).
// docs/onprem-settings.md says why for each.
func (p *application) kept() []kept {
	return []kept{
		keep("callback_persist", &p.Persist, true),
		keep("pass_through", &p.PassThrough, false),
		keep("heartbeat_interval", &p.Heartbeat, 5),
		keep("unhealthy_interval", &p.Unhealthy, 30),
		keep("axolotl_context_striping_disabled", &p.AxolotlStriping, false),
		keep("verbose_logging", &p.VerboseLogging, false),
		keep("log_level", &p.LogLevel, "info"),
		keepUnset("on_call_pager", &p.OnCallPager),
		keepUnset(noPricingModel, &p.NoPricingModel),
		keepUnset(answerContacts, &p.AnswerContacts),
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
