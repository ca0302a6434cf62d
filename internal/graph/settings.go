package graph

import (
	"slices"
	"strings"

	"kabar"
)

// regions are where data can be asked to stay (contract 1.6).
var regions = strings.Fields("AU ID IN JP SG KR DE CH GB BR BH ZA AE CA")

// toggle is a setting that is on or off.
type toggle struct {
	Status string `json:"status"`
}

func (t *toggle) isOn() bool { return t != nil && strings.EqualFold(t.Status, "enabled") }

// numberSettings are the settings of a number that a request changes; nil: as they are.
type numberSettings struct {
	Calling    *toggle `json:"calling"`
	Encryption *toggle `json:"payload_encryption"`
	Identity   *struct {
		Check bool `json:"enable_identity_key_check"`
	} `json:"user_identity_change"`
	Storage *struct {
		Status string `json:"status"`
		Region string `json:"data_localization_region"`
	} `json:"storage_configuration"`
}

// showSettings: GET /{number}/settings.
func (a *API) showSettings(x *exchange, n *kabar.Number) error {
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return err
	}
	off := map[string]string{"status": "disabled"}
	storage := map[string]string{"status": "default"}
	if s.Cloud.Region != "" {
		storage = map[string]string{"status": "in_country_storage_enabled", "data_localization_region": s.Cloud.Region}
	}
	return x.reply(map[string]any{
		"calling": map[string]any{"status": "disabled", "call_icon_visibility": "hidden", "callback_permission_status": "disabled",
			"ip_addresses": map[string]any{"default": []string{}}},
		"user_identity_change":  map[string]bool{"enable_identity_key_check": s.ShowSecurity},
		"payload_encryption":    off,
		"storage_configuration": storage,
	})
}

// changeSettings: POST /{number}/settings.
func (a *API) changeSettings(x *exchange, n *kabar.Number) error {
	var in numberSettings
	if err := x.decode(&in); err != nil {
		return err
	}
	switch {
	case in == (numberSettings{}):
		return kabar.Refuse(kabar.ReasonMissing, "", "nothing to change: calling, payload_encryption, user_identity_change and storage_configuration can be")
	case in.Calling.isOn():
		return a.noCalls(x, n)
	case in.Encryption.isOn():
		return kabar.Refuse(kabar.ReasonInvalid, "payload_encryption.status", "this server does not take messages that are encrypted for it")
	}
	region, err := in.region()
	if err != nil {
		return err
	}
	if err := a.change(x, n, func(s *kabar.Settings) {
		if in.Identity != nil {
			s.ShowSecurity = in.Identity.Check
		}
		if in.Storage != nil {
			s.Cloud.Region = region
		}
	}); err != nil {
		return err
	}
	return x.success()
}

// region is where the request wants the data; empty: anywhere.
func (in *numberSettings) region() (string, error) {
	switch {
	case in.Storage == nil || strings.EqualFold(in.Storage.Status, "default"):
		return "", nil
	case strings.EqualFold(in.Storage.Status, "in_country_storage_enabled"):
		return checkRegion("storage_configuration.data_localization_region", in.Storage.Region)
	}
	return "", kabar.Refuse(kabar.ReasonInvalid, "storage_configuration.status", "is %q, allowed are default and in_country_storage_enabled", clip(in.Storage.Status))
}

func checkRegion(field, region string) (string, error) {
	if region = strings.ToUpper(region); !slices.Contains(regions, region) {
		return "", kabar.Refuse(kabar.ReasonInvalid, field, "is %q, allowed are %s", clip(region), strings.Join(regions, " "))
	}
	return region, nil
}

// commerce: GET /{number}/whatsapp_commerce_settings.
func (a *API) commerce(x *exchange, n *kabar.Number) error {
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return err
	}
	return x.reply(list{Data: []any{map[string]any{"id": a.nodeID(int64(n.ID)), "is_cart_enabled": !s.Cloud.HideCart, "is_catalog_visible": s.Cloud.ShowCatalog}}})
}

// changeCommerce: POST /{number}/whatsapp_commerce_settings.
func (a *API) changeCommerce(x *exchange, n *kabar.Number) error {
	var in struct {
		Cart    *bool `json:"is_cart_enabled"`
		Catalog *bool `json:"is_catalog_visible"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	if in.Cart == nil && in.Catalog == nil {
		return kabar.Refuse(kabar.ReasonMissing, "is_cart_enabled", "nothing to change: is_cart_enabled and is_catalog_visible can be")
	}
	if err := a.change(x, n, func(s *kabar.Settings) {
		if in.Cart != nil {
			s.Cloud.HideCart = !*in.Cart
		}
		if in.Catalog != nil {
			s.Cloud.ShowCatalog = *in.Catalog
		}
	}); err != nil {
		return err
	}
	return x.success()
}

// automation is what a number offers before the first message, as a field of it.
func (a *API) automation(_ *exchange, n *kabar.Number, _ Field) (any, error) {
	s, err := a.engine.Settings(n.ID)
	if err != nil {
		return nil, err
	}
	of := s.Cloud.Automation
	return map[string]any{"id": a.nodeID(int64(n.ID)), "enable_welcome_message": of.Welcome, "prompts": orNone(of.Prompts), "commands": orNone(of.Commands)}, nil
}

// orNone is a list as JSON has it: an empty one is not null.
func orNone[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// changeAutomation: POST /{number}/conversational_automation changes what the request names.
func (a *API) changeAutomation(x *exchange, n *kabar.Number) error {
	var in struct {
		Welcome  *bool            `json:"enable_welcome_message"`
		Prompts  *[]string        `json:"prompts"`
		Commands *[]kabar.Command `json:"commands"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	err := a.engine.ChangeSettings(x.r.Context(), n.ID, func(s *kabar.Settings, _ *string) error {
		of := &s.Cloud.Automation
		if in.Welcome != nil {
			of.Welcome = *in.Welcome
		}
		if in.Prompts != nil {
			of.Prompts = slices.Clone(*in.Prompts)
		}
		if in.Commands != nil {
			of.Commands = slices.Clone(*in.Commands)
		}
		return of.Validate()
	})
	if err != nil {
		return err
	}
	return x.success()
}
