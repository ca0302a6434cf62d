package graph

import (
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"kabar"
	"kabar/internal/web"
)

// decode reads the parameters of a request into a struct, by the names of its JSON tags. They may come in the query, as a form,
// as multipart, or as one JSON object; what stands in the body counts before what stands in the query. A value that is not
// JSON by itself is text: true, 5 and {"a":1} are what they look like where the field is no string. Unknown names are ignored.
func (x *exchange) decode(into any) error { return x.decodeLong(into, 0) }

// decodeLong is decode for a body with long lists: so many names may stand in it.
func (x *exchange) decodeLong(into any, names int) error {
	body, values, err := x.read()
	if err != nil {
		return err
	}
	return decodeParams(body, values, into, names)
}

// read returns the parameters: of the JSON object, which may be nil, and of query and form.
func (x *exchange) read() (body []byte, values url.Values, err error) {
	values = x.r.URL.Query()
	kind, params, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	switch kind {
	case "multipart/form-data":
		form, err := x.parts(params["boundary"])
		if err != nil {
			return nil, nil, err
		}
		return nil, merged(values, form), nil
	case "application/x-www-form-urlencoded":
		if body, err = web.ReadBody(x.w, x.r, web.DefaultMaxBytes); err != nil {
			return nil, nil, err
		}
		if form, err := url.ParseQuery(string(body)); err == nil && !looksLikeJSON(body) {
			return nil, merged(values, form), nil
		}
	default:
		if body, err = web.ReadBody(x.w, x.r, web.DefaultMaxBytes); err != nil {
			return nil, nil, err
		}
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil, values, nil
	}
	return body, values, nil
}

// looksLikeJSON finds JSON under the content type that some clients send by default.
func looksLikeJSON(body []byte) bool { return strings.HasPrefix(strings.TrimSpace(string(body)), "{") }

// parts reads the values of a multipart form; files among them have no meaning.
func (x *exchange) parts(boundary string) (url.Values, error) {
	values := url.Values{}
	form := multipart.NewReader(http.MaxBytesReader(x.w, x.r.Body, web.DefaultMaxBytes), boundary)
	for {
		p, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, formFault(err)
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return nil, formFault(err)
		}
		values.Add(p.FormName(), string(text))
	}
}

// formFault says what is wrong with a form: that it has ended too early, unless the reader of forms has a fault to tell.
func formFault(err error) error {
	if web.Fault(err) != nil {
		return err
	}
	_, header := errors.AsType[textproto.ProtocolError](err)
	if header || errors.Unwrap(err) == nil && strings.HasPrefix(err.Error(), "multipart: ") {
		return kabar.Refuse(kabar.ReasonMalformed, "",
			"the form cannot be read: a part begins with the boundary that Content-Type names, then has headers such as Content-Disposition")
	}
	return kabar.Refuse(kabar.ReasonMalformed, "", "the form broke off")
}

// merged returns the values of both; those of the second count.
func merged(a, b url.Values) url.Values {
	maps.Copy(a, b)
	return a
}

// decodeParams joins a JSON object and values, of which the first of a name counts, to one object, and decodes that.
// names is how many names there may be; 0 means web.MaxKeys.
func decodeParams(body []byte, values url.Values, into any, names int) error {
	options := web.Options{Keys: names, Unknown: web.Ignore, RefuseNUL: true}
	kinds := memberKinds(reflect.TypeOf(into).Elem())
	if body != nil && (len(values) == 0 || !looksLikeJSON(body)) {
		return web.Decode(body, into, options)
	}
	object := map[string]jsontext.Value{}
	if body != nil {
		var known struct {
			Members map[string]jsontext.Value `json:",embed"`
		}
		if err := web.Decode(body, &known, options); err != nil {
			return err
		}
		object = known.Members
	}
	for name, list := range values {
		name = strings.TrimSuffix(name, "[]")
		kind, known := kinds[name]
		if _, there := object[name]; !known || there || len(list) == 0 {
			continue
		}
		value, err := memberOf(kind, list[0])
		if err != nil {
			return err
		}
		if object == nil {
			object = map[string]jsontext.Value{}
		}
		object[name] = value
	}
	joined, err := web.Encode(object)
	if err != nil {
		return err
	}
	return web.Decode(joined, into, options)
}

// memberOf makes the JSON value of a text for a field of some kind.
func memberOf(kind reflect.Kind, text string) (jsontext.Value, error) {
	value := jsontext.Value(strings.TrimSpace(text))
	if kind != reflect.String && value.IsValid() {
		return value, nil
	}
	if quoted := jsontext.Value(strings.ReplaceAll(string(value), "'", `"`)); kind == reflect.Slice && quoted.IsValid() {
		return quoted, nil // tasks=['MANAGE']
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	return json.Marshal(text)
}

// memberKinds returns what kind of field each parameter is.
func memberKinds(t reflect.Type) map[string]reflect.Kind {
	kinds := map[string]reflect.Kind{}
	for f := range t.Fields() {
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			maps.Copy(kinds, memberKinds(f.Type))
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		typ := f.Type
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if name != "" && name != "-" {
			kinds[name] = typ.Kind()
		}
	}
	return kinds
}
