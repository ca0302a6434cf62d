package onprem

import (
	"net/http"

	"kabar/internal/web"
)

// meta stands in every answer.
type meta struct {
	APIStatus string `json:"api_status"`
	Version   string `json:"version"`
}

func (x *exchange) meta() meta {
	if x.web {
		return meta{"stable", "v" + Version}
	}
	return meta{"stable", Version}
}

// encode returns the envelope of a success: the node and meta. A call without payload has no node.
func (x *exchange) encode(node string, value any) ([]byte, error) {
	body := map[string]any{"meta": x.meta()}
	if node != "" {
		body[node] = value
	}
	return web.Encode(body)
}

// reply answers 200 with the envelope.
func (x *exchange) reply(node string, value any) error {
	body, err := x.encode(node, value)
	if err != nil {
		return err
	}
	x.write(http.StatusOK, body)
	return nil
}

// done answers a call without payload.
func (x *exchange) done() error { return x.reply("", nil) }

// write sends a JSON body. That the client is gone is nobody's fault and nothing that could be answered.
func (x *exchange) write(status int, body []byte) {
	x.w.Header()["Content-Type"] = []string{"application/json"}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}
