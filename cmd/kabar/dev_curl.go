package main

import (
	"fmt"
	"strings"
)

// calls writes the commands that people copy. With a token they work as they are printed; "$TOKEN" is the shell's.
type calls struct{ api, token string }

// template sends the template that kabar dev begins with.
func (c calls) template(to string) string {
	return c.curl("POST", "/v1/messages", `{"to":"`+to+`","type":"template","template":{"name":"hello_kabar","language":{"policy":"deterministic","code":"en"}}}`)
}

func (c calls) text(to string) string {
	return c.curl("POST", "/v1/messages", `{"to":"`+to+`","type":"text","text":{"body":"Hello from my own API"}}`)
}

func (c calls) webhook() string {
	return c.curl("PATCH", "/v1/settings/application", `{"webhooks":{"url":"http://127.0.0.1:3000/hook"}}`)
}

func (c calls) curl(method, path, body string) string {
	return fmt.Sprintf("curl -sS -X %s %s%s \\\n  -H \"Authorization: Bearer %s\" \\\n  -H 'Content-Type: application/json' \\\n  -d '%s'",
		method, c.api, path, c.token, body)
}

func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }
