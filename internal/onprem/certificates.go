package onprem

import (
	"context"
	"net/http"

	"kabar"
	"kabar/internal/web"
)

// Certificates keep what administrators upload (contract 1.10); *trust.Keeper does. Errors are refusals, or internal faults.
type Certificates interface {
	SetExternal(ctx context.Context, text []byte) error
	ExternalCA() []byte
	SetWebhookCA(ctx context.Context, n kabar.NumberID, text []byte) error
	WebhookCA(ctx context.Context, n kabar.NumberID) ([]byte, error)
	RemoveWebhookCA(ctx context.Context, n kabar.NumberID) error
}

// maxPEM is how many bytes an uploaded bundle may have.
const maxPEM = 1 << 20

// setExternal: POST /v1/certificates/external takes a private key, its certificate and the chain into use. The certificate is
// the whole server's, so only the first number's administrator may.
func (a *API) setExternal(x *exchange) error {
	if a.engine.Numbers()[0].ID != x.number() {
		web.Drain(x.w, x.r)
		return kabar.Refuse(kabar.ReasonDenied, "", "the certificate is the server's: the administrator of its first number may change it")
	}
	text, err := web.ReadBody(x.w, x.r, maxPEM)
	if err != nil {
		return err
	}
	if err := a.certificates.SetExternal(x.r.Context(), text); err != nil {
		return err
	}
	return x.done()
}

// externalCA: GET /v1/certificates/external/ca answers what a client has to trust to trust this server.
func (a *API) externalCA(x *exchange) error {
	text := a.certificates.ExternalCA()
	if text == nil {
		return kabar.Refuse(kabar.ReasonNotFound, "", "No CA certificates found")
	}
	x.w.Header().Set("Cache-Control", "public")
	x.w.Header().Set("Accept-Ranges", "bytes")
	x.pem(text, "ca.pem")
	return nil
}

// setWebhookCA: POST /v1/certificates/webhooks/ca.
func (a *API) setWebhookCA(x *exchange) error {
	text, err := web.ReadBody(x.w, x.r, maxPEM)
	if err != nil {
		return err
	}
	if err := a.certificates.SetWebhookCA(x.r.Context(), x.number(), text); err != nil {
		return err
	}
	return x.done()
}

// webhookCA: GET /v1/certificates/webhooks/ca.
func (a *API) webhookCA(x *exchange) error {
	text, err := a.certificates.WebhookCA(x.r.Context(), x.number())
	if err != nil {
		return err
	}
	x.pem(text, "ca.pem")
	return nil
}

// removeWebhookCA: DELETE /v1/certificates/webhooks/ca. It may be repeated.
func (a *API) removeWebhookCA(x *exchange) error {
	if err := a.certificates.RemoveWebhookCA(x.r.Context(), x.number()); err != nil {
		return err
	}
	return x.done()
}

func (x *exchange) pem(text []byte, name string) {
	h := x.w.Header()
	h.Set("Content-Type", "text/plain;charset=UTF-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(text) // the client may have gone
}
