package golden

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"kabar/internal/msgid"
)

// Names stand for what differs from run to run. Ids are named in the order in which they appear: <m1>, <m2>… for messages, <w1>
// for what the Cloud API calls <m1>, <u1>… for media and <b1>… for backups of settings of /v1, and with Cloud <n1>… for nodes of
// the Graph API, <c1>… for cursors of pages, <l1>… for links to media and pictures, <q1>… for QR codes, <s1>… for upload sessions
// and <h1>… for what they make. Ids that are known have the names of Call. The zero value is ready; it is not for several
// goroutines.
type Names struct {
	Cloud bool // the ids of nodes, which are mere numbers, are named

	called map[string]string // by id, what Call says
	names  map[string]string // by id
	count  map[byte]int
	codes  []string // QR codes
}

var (
	idForm      = regexp.MustCompile(`wamid\.[0-9A-Za-z+/]{40,}=*|(?:gB[EG]|AB[EG])[A-I][0-9A-Za-z_-]{23,32}|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	linkForm    = regexp.MustCompile(`ext=[0-9]{10}&hash=[0-9a-f]{40}&mid=[0-9]{15,16}&nid=[0-9]{15,16}`)
	nodeForm    = regexp.MustCompile(`\b[0-9]{15,16}\b`)
	cursorForm  = regexp.MustCompile(`\b[MNO][0-9A-Za-z]{19}(?:[0-9A-Za-z]{2})?\b`)
	placeholder = regexp.MustCompile(`<[mwunclqshb][0-9]+>|<[a-z]{2,}>`)
	tokenForm   = regexp.MustCompile(`eyJ[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+`)
	stanzaForm  = regexp.MustCompile(`\|[0-9a-f]{18}\b`)
	photoForm   = regexp.MustCompile(`/photo/[0-9A-Za-z_-]{32}`) // what the link of a picture ends with
	traceForm   = regexp.MustCompile(`"A[A-Z2-7]{22}"`)          // of an error of the Cloud API
	spaceForm   = regexp.MustCompile(`[0-9a-f]{8}_[0-9a-f]{4}_4[0-9a-f]{3}_[0-9a-f]{4}_[0-9a-f]{12}`)
	deepForm    = regexp.MustCompile(`wa\.me/message/([A-Z2-7]{14})\b`)
	qrForm      = regexp.MustCompile(`code=[A-Z2-7]{14}&format=[A-Z]{3}&hash=[0-9a-f]{40}&nid=[0-9]{15,16}`)
	pictureForm = regexp.MustCompile(`at=[0-9]{13}&hash=[0-9a-f]{40}&nid=[0-9]{15,16}`)
	uploadForm  = regexp.MustCompile(`\bupload:[0-9A-Za-z_-]+`)
	handleForm  = regexp.MustCompile(`\b4::[0-9A-Za-z_-]{30,}`)
	backupForm  = regexp.MustCompile(`\bA[Q-Za-f][0-9A-Za-z+/]{200,}=*`) // of settings, in base64 behind its version
	issuedForm  = regexp.MustCompile(`("issued_at": )[0-9]{10}`)
)

// FindID returns the first id of a message or of a medium of /v1 in a text; empty for none.
func FindID(s string) string { return idForm.FindString(s) }

// Call names an id that is known before it is seen, such as <phone>.
func (n *Names) Call(id, name string) {
	if n.called == nil {
		n.called = map[string]string{}
	}
	n.called[id] = name
}

// Hide replaces what differs from run to run.
func (n *Names) Hide(s string) string {
	if n.names == nil {
		n.names, n.count = map[string]string{}, map[byte]int{}
	}
	if n.Cloud {
		s = n.hideAll(s, 'l', linkForm, qrForm, pictureForm) // whole, with the ids in them
	}
	if !n.Cloud {
		s = n.hideAll(s, 'b', backupForm)
	}
	for id, name := range n.called {
		s = strings.ReplaceAll(s, id, name)
	}
	s = idForm.ReplaceAllStringFunc(s, n.name)
	if n.Cloud {
		s = n.hideCodes(hidden(s))
		s = n.hideAll(n.hideAll(s, 's', uploadForm), 'h', handleForm)
		s = nodeForm.ReplaceAllStringFunc(s, func(id string) string { return n.give(id, 'n') })
		s = cursorForm.ReplaceAllStringFunc(s, func(c string) string {
			if id, err := base64.RawURLEncoding.DecodeString(c); err != nil || nodeForm.FindString(string(id)) != string(id) {
				return c
			}
			return n.give(c, 'c')
		})
	}
	s = photoForm.ReplaceAllString(tokenForm.ReplaceAllString(s, "<token>"), "/photo/<name>")
	return stanzaForm.ReplaceAllString(hex32.ReplaceAllString(s, "<hex>"), "|<stanza>")
}

// hideAll names what has one of some forms.
func (n *Names) hideAll(s string, kind byte, forms ...*regexp.Regexp) string {
	for _, form := range forms {
		s = form.ReplaceAllStringFunc(s, func(id string) string { return n.give(id, kind) })
	}
	return s
}

// hideCodes names QR codes, which are told from words by the links that they are first seen in, and cursors that hold one.
func (n *Names) hideCodes(s string) string {
	for _, m := range deepForm.FindAllStringSubmatch(s, -1) {
		if n.names[m[1]] == "" {
			n.codes = append(n.codes, m[1])
		}
		n.give(m[1], 'q')
	}
	for _, id := range n.codes {
		s = strings.ReplaceAll(s, id, n.names[id])
		if c := base64.RawURLEncoding.EncodeToString([]byte(id)); strings.Contains(s, c) {
			s = strings.ReplaceAll(s, c, n.give(c, 'c'))
		}
	}
	return s
}

// hidden replaces what only the Cloud API makes up.
func hidden(s string) string {
	s = spaceForm.ReplaceAllString(traceForm.ReplaceAllString(s, `"<trace>"`), "<namespace>")
	return issuedForm.ReplaceAllString(s, "$1<moment>")
}

// give names an id of a kind.
func (n *Names) give(id string, kind byte) string {
	if n.names[id] == "" {
		n.count[kind]++
		n.names[id] = fmt.Sprintf("<%c%d>", kind, n.count[kind])
	}
	return n.names[id]
}

// name names an id of either API. That of a message has a twin in the other one.
func (n *Names) name(id string) string {
	switch {
	case n.names[id] != "":
		return n.names[id]
	case len(id) == 36 && id[8] == '-':
		return n.give(id, 'u')
	}
	n.count['m']++
	own, cloud := twins(id)
	if cloud != "" {
		n.names[cloud] = fmt.Sprintf("<w%d>", n.count['m'])
	}
	n.names[own] = fmt.Sprintf("<m%d>", n.count['m'])
	return n.names[id]
}

// twins returns the ids that a message has in both APIs. What is no id of ours has none in the Cloud API.
func twins(id string) (own, cloud string) {
	decode := msgid.Decode
	if strings.HasPrefix(id, "wamid.") {
		decode = msgid.DecodeWamid
	}
	outbound, digits, stanza, err := decode(id)
	if err != nil {
		return id, ""
	}
	return msgid.Encode(outbound, digits, stanza), msgid.EncodeWamid(outbound, digits, stanza)
}

// OnPremID returns the id that a message with this one has in /v1.
func OnPremID(id string) string {
	own, _ := twins(id)
	return own
}

// Fill replaces names by the ids they stand for; a name that has not been seen is an error.
func (n *Names) Fill(s string) (filled string, err error) {
	known := maps.Clone(n.names)
	if known == nil {
		known = map[string]string{}
	}
	maps.Copy(known, n.called)
	filled = placeholder.ReplaceAllStringFunc(s, func(name string) string {
		for id, as := range known {
			if as == name {
				return id
			}
		}
		if placeholder.FindString(name) == name && !strings.ContainsAny(name, "0123456789") {
			return name // of no id: text that happens to look so
		}
		err = errors.Join(err, fmt.Errorf("%s has not been seen", name))
		return name
	})
	return filled, err
}

// CloudID returns the id that a message with this one has in the Cloud API.
func CloudID(id string) string {
	_, cloud := twins(id)
	return cloud
}
