package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/golden"
)

// The requests that Meta's description shows are accepted, where the path is served: with a customer, a message, a medium, a template
// and links of ours in the place of its placeholders. What is not is listed with its reason.
func TestMetaRequestExamples(t *testing.T) {
	d, known, served := readMeta(t), readExceptions(t, "meta_requests.tsv"), routes()
	var accepted, all int
	for _, op := range d.operations() {
		if _, ok := served[op.ours]; !ok || op.op["requestBody"] == nil {
			continue
		}
		e := newExample(t, op.node)
		body, _ := op.op["requestBody"].(map[string]any)
		content, _ := body["content"].(map[string]any)
		for _, kind := range slices.Sorted(maps.Keys(content)) {
			examples, _ := content[kind].(map[string]any)["examples"].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(examples)) {
				what := op.name + "\t" + name
				all++
				if e.node == "" {
					known.differs(what, "there are no such nodes")
					continue
				}
				if w := e.ask(op, kind, examples[name].(map[string]any)["value"]); w.Code == http.StatusOK {
					accepted++
				} else {
					known.differs(what, fmt.Sprintf("%d %s", w.Code, w.Body))
				}
			}
		}
	}
	t.Logf("%d of %d examples accepted", accepted, all)
	known.done()
}

// example is a server that an example of a request is sent to.
type example struct {
	*env
	node, message, medium, template string
}

func newExample(t *testing.T, kind string) *example {
	t.Helper()
	e := &example{env: newEnv(t)}
	p := &player{env: e.env, t: t}
	p.inbound(`{"Kind":"text","Content":{"body":"hola"}}`)
	events, err := e.db.Events(t.Context(), e.a.ID, 0, 10)
	must(t, err)
	m, err := e.db.Message(t.Context(), e.a.ID, events[0].Message)
	must(t, err)
	c, err := e.db.Conversation(t.Context(), e.a.ID, m.Conversation)
	must(t, err)
	e.message = messageID(false, e.a, c.Customer, m.Ref)
	e.medium = e.uploads("png", "image/png")
	templates, err := e.db.Templates(t.Context(), e.a.Account)
	must(t, err)
	for _, d := range templates {
		if d.Status == kabar.TemplateApproved {
			e.template = fmt.Sprint(d.ID) // it is public already
		}
	}
	app := e.auth.App()
	e.node = map[string]string{"Phone-Number-ID": fmt.Sprint(e.db.Node(int64(e.a.ID))), "WABA-ID": fmt.Sprint(e.db.Node(int64(e.a.Account))),
		"WhatsApp-Business-Account-ID": fmt.Sprint(e.db.Node(int64(e.a.Account))), "Business-ID": fmt.Sprint(e.db.Node(app.Business)),
		"User-ID": fmt.Sprint(e.db.Node(app.User)), "TEMPLATE_ID": e.template, "Media-ID": e.medium}[kind]
	return e
}

// uploads uploads a sample.
func (e *example) uploads(sample, mime string) string {
	e.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	must(e.t, w.WriteField("messaging_product", "whatsapp"))
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="x"`}, "Content-Type": {mime}})
	must(e.t, err)
	_, err = part.Write(golden.Sample(sample))
	must(e.t, errorsOf(err, w.Close()))
	answer := e.send(http.MethodPost, "/v23.0/"+fmt.Sprint(e.db.Node(int64(e.a.ID)))+"/media", w.FormDataContentType(), form.Bytes())
	var made struct{ ID string }
	must(e.t, json.Unmarshal(answer.Body.Bytes(), &made))
	return made.ID
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *example) send(method, path, kind string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+e.tokens["user"])
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	return w
}

var (
	metaLink    = regexp.MustCompile(`^<?http\(s\)://[^>]*>?$`)
	metaMessage = regexp.MustCompile(`^(<MSGID_OF[A-Z_]*>|wamid\..*)$`)
)

// ask sends an example.
func (e *example) ask(op metaOperation, kind string, value any) *httptest.ResponseRecorder {
	e.t.Helper()
	value = e.filled(value)
	path := "/v23.0/" + strings.ReplaceAll(strings.TrimPrefix(op.ours[strings.Index(op.ours, " ")+1:], "/"), "{id}", e.node)
	body, err := json.Marshal(value)
	must(e.t, err)
	switch kind {
	case "multipart/form-data":
		body, kind = multipartOf(e.t, value.(map[string]any))
	case "application/x-www-form-urlencoded":
		form := url.Values{}
		for name, v := range value.(map[string]any) {
			text, isText := v.(string)
			if !isText {
				raw, err := json.Marshal(v)
				must(e.t, err)
				text = string(raw)
			}
			form.Set(name, text)
		}
		body = []byte(form.Encode())
	}
	method, _, _ := strings.Cut(op.ours, " ")
	return e.send(method, path, kind, body)
}

// multipartOf writes values as a form of parts.
func multipartOf(t testing.TB, values map[string]any) (body []byte, kind string) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		must(t, w.WriteField(name, fmt.Sprint(values[name])))
	}
	must(t, w.Close())
	return form.Bytes(), w.FormDataContentType()
}

// filled puts what is ours into the places of an example.
func (e *example) filled(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = e.filled(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			out[name] = e.filled(value)
		}
		if out["to"] != nil {
			out["to"] = golden.Ana
		}
		if user, _ := out["user"].(string); strings.HasPrefix(user, "+") {
			out["user"] = golden.Ana
		} else if user != "" {
			out["user"] = fmt.Sprint(e.db.Node(e.auth.App().User))
		}
		if out["override_callback_uri"] != nil {
			out["override_callback_uri"] = "https://" + golden.CDN + "/hook"
		}
		for name, sample := range map[string][2]string{"image": {"png", "image/png"}, "video": {"mp4", "video/mp4"}, "audio": {"opus", "audio/ogg"},
			"document": {"pdf", "application/pdf"}, "sticker": {"webp", "image/webp"}} {
			if medium, _ := out[name].(map[string]any); medium["id"] != nil {
				medium["id"] = e.uploads(sample[0], sample[1])
			}
		}
		return out
	case string:
		switch {
		case metaLink.MatchString(v):
			return "https://" + golden.CDN + "/png"
		case metaMessage.MatchString(v):
			return e.message
		}
	}
	return v
}
