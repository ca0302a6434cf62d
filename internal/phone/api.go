package phone

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"kabar/internal/web"
)

// answerWithin bounds the writing of an answer that does not stream.
const answerWithin = 30 * time.Second

// route is one call of the control API.
type route struct {
	method, path string
	handle       func(w http.ResponseWriter, r *http.Request) error
}

// routes is the table of calls.
func (p *Phone) routes() []route {
	const customer = "/api/customers/{wa_id}"
	return []route{
		{"GET", "/api/customers", p.getCustomers},
		{"POST", "/api/customers", p.postCustomer},
		{"PATCH", customer, p.patchCustomer},
		{"GET", customer + "/messages", p.getMessages},
		{"POST", customer + "/messages", p.postMessage},
		{"POST", customer + "/messages/{id}/read", p.postRead},
		{"POST", customer + "/messages/{id}/tap", p.postTap},
		{"POST", customer + "/messages/{id}/react", p.postReact},
		{"POST", customer + "/messages/{id}/order", p.postOrder},
		{"POST", customer + "/messages/{id}/answer", p.postAnswer},
		{"POST", customer + "/messages/{id}/flow", p.postFlow},
		{"POST", customer + "/messages/{id}/forward", p.postForward},
		{"DELETE", customer + "/messages/{id}", p.deleteMessage},
		{"GET", customer + "/messages/{id}/preview", p.getPreview},
		{"POST", customer + "/media", p.postMedia},
		{"GET", customer + "/media/{id}", p.getMedia},
		{"POST", customer + "/reinstall", p.postReinstall},
		{"POST", customer + "/change_number", p.postChangeNumber},
		{"POST", customer + "/report", p.postReport},
		{"POST", customer + "/typing", p.postTyping},
	}
}

// Handler serves the control API under /api/. Requests of pages must come from the phone's own origin, and the Host
// header must be localhost, an IP address or one of Options.Hosts; with a Token, every request must bring it.
func (p *Phone) Handler() http.Handler {
	mux := http.NewServeMux()
	methods := make(map[string][]string)
	for _, r := range p.routes() {
		mux.HandleFunc(r.method+" "+r.path, p.answer(r.handle))
		methods[r.path] = append(methods[r.path], r.method)
	}
	for path, allowed := range methods {
		mux.HandleFunc(path, p.answer(func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			return refuse(CodeMethod, "%s is not possible here. Use %s.", r.Method, strings.Join(allowed, " or "))
		}))
	}
	mux.HandleFunc("/", p.answer(func(_ http.ResponseWriter, r *http.Request) error {
		return refuse(CodeNotFound, "There is no call %.80s. Begin with GET /api/customers.", r.URL.Path)
	}))
	h := web.WriteDeadline(answerWithin, web.PageHeaders(p.withToken(mux)))
	return web.Recover(p.log, web.CheckHost(web.AllowHosts(p.opts.Hosts...), nil, web.SameOrigin(nil, h)))
}

// withToken lets only requests with the token pass, if there is one.
func (p *Phone) withToken(next http.Handler) http.Handler {
	if p.opts.Token == "" {
		return next
	}
	want := sha256.Sum256([]byte(p.opts.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if got := sha256.Sum256([]byte(token)); subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		p.refused(w, r, refuse(CodeUnauthorized, "The token is missing or wrong. Send the one the phone was started with: Authorization: Bearer <token>."))
	})
}

// answer turns an error of a call into its answer.
func (p *Phone) answer(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			p.refused(w, r, err)
		}
	}
}

// refused answers {"error":{"code","message"}}.
func (p *Phone) refused(w http.ResponseWriter, r *http.Request, err error) {
	e, ours := refusal(bodyError(err))
	if !ours && r.Context().Err() == nil {
		p.log.ErrorContext(r.Context(), "call failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	_ = web.WriteJSON(w, e.Status(), map[string]any{"error": map[string]any{"code": e.Code, "message": e.Message}}) // the client may have gone
}

// bodyError makes a refusal of what is wrong with a request's body.
func bodyError(err error) error {
	var fault *web.Error
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return refuse(CodeTooLarge, "The body has more than %d bytes. Send a smaller one.", long.Limit)
	case !errors.As(err, &fault):
		return err
	case fault.Kind == web.TooLarge:
		return refuse(CodeTooLarge, "The body is too large: %s. Send a smaller one.", fault.Detail)
	case fault.Kind == web.UnknownKey:
		return refuse(CodeInvalid, "The key %q is not known here. Check its spelling, or leave it out.", fault.Key)
	case fault.Kind == web.Empty:
		return refuse(CodeInvalid, "The body is empty. Send a JSON object.")
	}
	return refuse(CodeInvalid, "The body cannot be read: %v. Send one JSON object as the documentation shows.", fault)
}

// decode reads a JSON body strictly.
func decode(w http.ResponseWriter, r *http.Request, into any) error {
	return web.DecodeRequest(w, r, into, web.Options{Unknown: web.RefuseAll, RefuseNUL: true})
}

// decodeOptional is decode for calls whose body may be left out.
func decodeOptional(w http.ResponseWriter, r *http.Request, into any) error {
	err := decode(w, r, into)
	var fault *web.Error
	if errors.As(err, &fault) && fault.Kind == web.Empty {
		return nil
	}
	return err
}

func (p *Phone) getCustomers(w http.ResponseWriter, r *http.Request) error {
	customers, err := p.Customers(r.Context())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, map[string]any{"customers": customers})
}

func (p *Phone) postCustomer(w http.ResponseWriter, r *http.Request) error {
	var n NewCustomer
	if err := decode(w, r, &n); err != nil {
		return err
	}
	c, err := p.Create(r.Context(), n)
	if err != nil {
		return err
	}
	return write(w, http.StatusCreated, c)
}

func (p *Phone) patchCustomer(w http.ResponseWriter, r *http.Request) error {
	var change CustomerPatch
	if err := decode(w, r, &change); err != nil {
		return err
	}
	c, err := p.Patch(r.Context(), r.PathValue("wa_id"), change)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, c)
}

func (p *Phone) postReinstall(w http.ResponseWriter, r *http.Request) error {
	if err := decodeOptional(w, r, &struct{}{}); err != nil {
		return err
	}
	return p.writeCustomer(w, r, p.Reinstall(r.Context(), r.PathValue("wa_id")))
}

func (p *Phone) postReport(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		To string `json:"to"`
	}
	if err := decodeOptional(w, r, &body); err != nil {
		return err
	}
	return p.writeCustomer(w, r, p.Report(r.Context(), r.PathValue("wa_id"), body.To))
}

func (p *Phone) postTyping(w http.ResponseWriter, r *http.Request) error {
	if err := decodeOptional(w, r, &struct{}{}); err != nil {
		return err
	}
	return p.writeCustomer(w, r, p.Typing(r.Context(), r.PathValue("wa_id")))
}

// writeCustomer answers with the customer that was acted upon, unless that failed.
func (p *Phone) writeCustomer(w http.ResponseWriter, r *http.Request, err error) error {
	if err != nil {
		return err
	}
	c, err := p.Customer(r.Context(), r.PathValue("wa_id"))
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, c)
}

// write answers with JSON. The client may have gone: then there is nobody to tell.
func write(w http.ResponseWriter, status int, v any) error {
	_ = web.WriteJSON(w, status, v)
	return nil
}

// stream moves the deadline of an answer that takes its time, again and again, while it makes progress.
func stream(ctx context.Context, w http.ResponseWriter) func() {
	conn := http.NewResponseController(w)
	return func() {
		if ctx.Err() == nil {
			_ = conn.SetWriteDeadline(time.Now().Add(answerWithin)) // test recorders have none
		}
	}
}
