package golden

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"kabar"
)

// keyForm is a reference in what is stored of a message.
var keyForm = regexp.MustCompile(`"(media|reply_to|target)": ([0-9]+)`)

// Keys tells by which ids a file shows the keys of media and of messages; the latter are those of /v1 in both dialects, as what is
// stored is of no dialect.
type Keys struct {
	Medium  func(kabar.MediaID) string
	Message func(kabar.MessageID) (string, error)
}

// Message shows a message to or from a customer as it is stored.
func (n *Names) Message(m *kabar.Message, with kabar.Customer, keys Keys) (string, error) {
	if t, ok := m.Content.(*kabar.Template); ok {
		t.ID = 0 // each store has its own
	}
	content, err := kabar.EncodeContent(m.Content)
	if err != nil {
		return "", err
	}
	shown := map[string]any{"to": with.Handle(), "kind": m.Content.Kind(), "content": json.RawMessage(content),
		"ttl": m.Expires.Sub(m.At).String(), "status": m.Status.String()}
	if m.Context.ReplyTo != 0 {
		shown["context"] = map[string]any{"reply_to": m.Context.ReplyTo}
	}
	b, err := json.MarshalIndent(shown, "", "  ")
	if err != nil {
		return "", err
	}
	public := keyForm.ReplaceAllStringFunc(string(b), func(match string) string {
		parts, id := keyForm.FindStringSubmatch(match), ""
		key, fault := strconv.ParseInt(parts[2], 10, 64)
		switch {
		case fault != nil:
		case parts[1] == "media":
			id = keys.Medium(kabar.MediaID(key))
		default:
			id, fault = keys.Message(kabar.MessageID(key))
		}
		if fault != nil {
			err = fault
		}
		return fmt.Sprintf("%q: %q", parts[1], id)
	})
	return n.Hide(public) + "\n", err
}
