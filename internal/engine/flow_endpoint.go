package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/flowdata"
)

// endpointTime is how long the endpoint of a flow may take.
const endpointTime = 10 * time.Second

// setKey says what to do when nothing can be encrypted for an endpoint.
const setKey = "for which the data of the flow is encrypted: set one at /{phone number}/whatsapp_business_encryption"

// endpoint returns the server of a flow, as it is asked on behalf of a number with a key.
func (e *Engine) endpoint(ctx context.Context, d *kabar.FlowDef, key string) (*flowdata.Endpoint, error) {
	public, err := flowdata.PublicKey(key)
	if err != nil {
		return nil, err
	}
	app, err := e.db.App(ctx)
	if err != nil {
		return nil, err
	}
	return &flowdata.Endpoint{Web: e.endpoints, URL: d.Endpoint, Key: public, Secret: app.Secret}, nil
}

// checkReady refuses to publish a flow that may not be, and one whose endpoint is away: customers could not fill it in. The endpoint is
// asked for the first number of the account that has a key.
func (e *Engine) checkReady(ctx context.Context, d *kabar.FlowDef) error {
	const reason = kabar.ReasonFlowPublish
	form, err := d.CanPublish()
	if err != nil || form.DataAPI == "" {
		return err
	}
	for _, n := range e.Numbers() {
		s, err := e.Settings(n.ID)
		if err != nil {
			return err
		}
		if n.Account != d.Account || s.BusinessKey == "" {
			continue
		}
		endpoint, err := e.endpoint(ctx, d, s.BusinessKey)
		if err != nil {
			return kabar.Refuse(reason, "", "the business_public_key of the number %s: %s", n.Digits, err.Error())
		}
		ctx, cancel := context.WithTimeout(ctx, endpointTime)
		defer cancel()
		if err := endpoint.Ping(ctx); err != nil {
			return kabar.Refuse(reason, "", "the endpoint_uri did not answer a ping as it should: %s", err.Error())
		}
		return nil
	}
	return kabar.Refuse(reason, "", "no number of the account has a business_public_key, %s", setKey)
}
