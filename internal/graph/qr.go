package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/qr"
	"kabar/internal/store"
)

// qrImage is a form of a QR code's picture.
type qrImage struct {
	mime, extension string
	draw            func(text string) ([]byte, error)
}

// qrImages are the forms by their names.
var qrImages = map[string]qrImage{"PNG": {"image/png", ".png", qr.PNG}, "SVG": {"image/svg+xml", ".svg", qr.SVG}}

// qrFields are what is shown of a code when nothing is named.
var qrFields = []Field{{Name: "code"}, {Name: "prefilled_message"}, {Name: "deep_link_url"}}

// saveQR: POST /{number}/message_qrdls makes a code, or gives one that the request names another text.
func (a *API) saveQR(x *exchange, n *kabar.Number) error {
	var in struct {
		Code      string `json:"code"`
		Prefilled string `json:"prefilled_message"`
		Image     string `json:"generate_qr_image"`
	}
	if err := x.decode(&in); err != nil {
		return err
	}
	fields := qrFields
	if in.Image != "" {
		if _, err := imageOf("generate_qr_image", in.Image); err != nil {
			return err
		}
		fields = append(slices.Clip(fields), Field{Name: "qr_image_url", Args: map[string]string{"format": in.Image}})
	}
	var q *store.QRCode
	var err error
	if in.Code == "" {
		q, err = a.engine.AddQRCode(x.r.Context(), n.ID, in.Prefilled, engine.MaxQRCodes)
	} else {
		q, err = a.engine.ChangeQRCode(x.r.Context(), n.ID, in.Code, in.Prefilled)
	}
	if err != nil {
		return noQR(err, in.Code)
	}
	shown, err := a.showQR(x, q, fields)
	if err != nil {
		return err
	}
	return x.reply(shown)
}

// listQR: GET /{number}/message_qrdls, the newest first; with code that one alone.
func (a *API) listQR(x *exchange, n *kabar.Number) error {
	if code := x.r.URL.Query().Get("code"); code != "" {
		return a.replyQR(x, n, code)
	}
	p, err := x.paging()
	if err != nil {
		return err
	}
	p.Limit = min(p.Limit, defaultLimit) // the most here
	all, err := a.engine.QRCodes(x.r.Context(), n.ID)
	if err != nil {
		return err
	}
	fields, err := qrFieldsOf(x)
	if err != nil {
		return err
	}
	entries := make([]entry, len(all))
	for i, q := range all {
		shown, err := a.showQR(x, q, fields)
		if err != nil {
			return err
		}
		entries[i] = entry{q.Code, shown}
	}
	return x.reply(x.pageOf(entries, p, a.nodeID(int64(n.ID))+"/message_qrdls"))
}

// oneQR: GET /{number}/message_qrdls/{code} answers a list, too.
func (a *API) oneQR(x *exchange, n *kabar.Number) error {
	return a.replyQR(x, n, x.r.PathValue("code"))
}

func (a *API) replyQR(x *exchange, n *kabar.Number, code string) error {
	q, err := a.engine.QRCode(x.r.Context(), n.ID, code)
	if err != nil {
		return noQR(err, code)
	}
	fields, err := qrFieldsOf(x)
	if err != nil {
		return err
	}
	shown, err := a.showQR(x, q, fields)
	if err != nil {
		return err
	}
	return x.reply(list{Data: []any{shown}})
}

// removeQR: DELETE /{number}/message_qrdls/{code}.
func (a *API) removeQR(x *exchange, n *kabar.Number) error {
	code := x.r.PathValue("code")
	if err := a.engine.RemoveQRCode(x.r.Context(), n.ID, code); err != nil {
		return noQR(err, code)
	}
	return x.success()
}

// noQR says which code it is that is not there.
func noQR(err error, code string) error {
	if isNone(err) {
		return kabar.Refuse(kabar.ReasonInvalid, "code", "the number has no QR code %q", clip(code))
	}
	return err
}

func qrFieldsOf(x *exchange) ([]Field, error) {
	fields, err := ParseFields(x.r.URL.Query().Get("fields"))
	if fields == nil {
		fields = qrFields
	}
	return fields, err
}

// showQR returns fields of a code.
func (a *API) showQR(x *exchange, q *store.QRCode, fields []Field) (map[string]string, error) {
	shown := map[string]string{}
	for _, f := range fields {
		switch f.Name {
		case "id", "code":
			shown[f.Name] = q.Code
		case "prefilled_message":
			shown[f.Name] = q.Prefilled
		case "deep_link_url":
			shown[f.Name] = deepLink(q.Code)
		case "qr_image_url":
			format, err := imageOf("qr_image_url.format", f.Args["format"])
			if err != nil {
				return nil, err
			}
			shown[f.Name] = a.qrURL(x, q, format)
		default:
			return nil, kabar.Refuse(kabar.ReasonInvalid, "fields", "Tried accessing nonexisting field (%s) on node type (WhatsAppMessageQRCode)", clip(f.Name))
		}
	}
	return shown, nil
}

func deepLink(code string) string { return "https://wa.me/message/" + code }

// imageOf returns the name of a form, in whatever case it is written; PNG without one.
func imageOf(field, format string) (string, error) {
	if format == "" {
		format = "PNG"
	}
	if format = strings.ToUpper(format); qrImages[format].draw == nil {
		return "", kabar.Refuse(kabar.ReasonInvalid, field, "is %q, allowed are PNG and SVG", clip(format))
	}
	return format, nil
}

// qrURL leads to the picture of a code for as long as there is the code: it ends up on walls, and tells no more than they do.
func (a *API) qrURL(x *exchange, q *store.QRCode, format string) string {
	return a.link(x, qrLink, url.Values{"nid": {a.nodeID(int64(q.Number))}, "code": {q.Code}, "format": {format}})
}

// drawQR: GET /whatsapp_business/qr_codes answers the picture.
func (a *API) drawQR(x *exchange) error {
	q, ok := a.followed(x, qrLink, "nid", "code", "format")
	if !ok {
		return gone("the QR code")
	}
	number, _ := a.nodeKey(q.Get("nid"))
	code, image := q.Get("code"), qrImages[q.Get("format")]
	if _, err := a.engine.QRCode(x.r.Context(), kabar.NumberID(number), code); isNone(err) {
		return gone("the QR code")
	} else if err != nil {
		return err
	}
	picture, err := image.draw(deepLink(code))
	if err != nil {
		return err
	}
	media.ServeHeaders(x.w.Header(), image.mime, code+image.extension)
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(picture) // that the client is gone is nobody's fault
	return nil
}
