package engine

import (
	"context"
	"regexp"
	"strings"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Request is a message an application wants sent.
type Request struct {
	To      string        // phone number in any usual writing, wa_id, or BSUID
	Content kabar.Content // with keys of this number's media and messages
	ReplyTo kabar.MessageID
	TTL     time.Duration // zero: the default
	Once    *Once         // nil: the same request twice is two messages
	// Answer renders the answer to the request; it is stored with the message when there is a Once.
	Answer func(m *kabar.Message, to kabar.Customer) (status int, body []byte, err error)
}

// Sent is what became of a request.
type Sent struct {
	Answer   *store.Answer
	Replayed bool // the request had been answered before
}

// Send judges and commits a message (T0 of its life). The message and the work that follows from it are on disk when it
// returns. A *kabar.Error says why a request was refused; what is refused leaves no trace. A message that is accepted only
// to fail (a closed window, say) is stored as failed, with its event.
func (e *Engine) Send(ctx context.Context, id kabar.NumberID, r Request) (*Sent, error) {
	l, err := e.line(id)
	if err != nil {
		return nil, err
	}
	if a, err := r.Once.early(ctx, e.db, l, e.now()); a != nil || err != nil {
		return &Sent{Answer: a, Replayed: true}, store.Refusal(err)
	}
	to, err := ParseRecipient(r.To)
	if err != nil {
		return nil, err
	}
	if err := e.ready(ctx, l, r.Content); err != nil {
		return nil, store.Refusal(err)
	}
	s := &sending{e: e, line: l, to: to, r: r, now: e.now()}
	if err := e.db.Write(ctx, s.hint, s.commit); err != nil {
		return nil, store.Refusal(err)
	}
	return s.sent, nil
}

// ready checks a content and fills in what only the store knows: the rendered template, the facts of a medium.
func (e *Engine) ready(ctx context.Context, l *line, c kabar.Content) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if t, ok := c.(*kabar.Template); ok {
		if err := e.render(ctx, l, t); err != nil {
			return err
		}
	}
	return e.describe(ctx, l, kabar.MediumOf(c))
}

func (e *Engine) render(ctx context.Context, l *line, t *kabar.Template) error {
	def, err := e.db.Template(ctx, l.number.Account, t.Name, t.Language.Code)
	if isMissing(err) {
		return kabar.Refuse(kabar.ReasonTemplateMissing, "template.name", "there is no template %q in %q", t.Name, t.Language.Code)
	}
	if err != nil {
		return err
	}
	t.Category = def.Category
	t.Rendered, err = def.Render(t)
	return err
}

// sending is one Send on its way through the writer.
type sending struct {
	e    *Engine
	line *line
	to   kabar.Customer
	r    Request
	now  time.Time
	sent *Sent
}

func (s *sending) hint(tx *store.Tx) {
	n := s.line.number.ID
	tx.WantHandle(n, s.to.Handle())
	if s.r.ReplyTo != 0 {
		tx.WantMessage(s.r.ReplyTo)
	}
	s.r.Once.want(tx, s.line)
}

func (s *sending) commit(tx *store.Tx) error {
	s.sent = &Sent{}
	var err error
	if s.sent.Answer, err = s.r.Once.replay(tx, s.line, s.now); err != nil || s.sent.Answer != nil {
		s.sent.Replayed = err == nil
		return err
	}
	c, err := tx.FindConversation(s.line.number.ID, s.to.Handle())
	if err != nil {
		return err
	}
	m := s.message()
	verdict, reason := kabar.Judge(s.now, kabar.Facts{Content: m.Content, Conversation: c, Recipient: s.to.Handle(),
		Sender: s.line.number.Digits, Expires: m.Expires})
	if verdict == kabar.Deny {
		return kabar.Refuse(reason, "to", "")
	}
	if c == nil {
		if c, err = tx.CreateConversation(s.line.number, s.to); err != nil {
			return err
		}
	}
	if err := s.checkTargets(tx, c, m); err != nil {
		return err
	}
	if err := tx.AppendMessage(c, m); err != nil {
		return err
	}
	tx.After(func() { s.e.counted(m.Content.Kind(), kabar.Accepted, "") })
	if verdict == kabar.AcceptAndFail {
		err = s.e.fail(tx, s.line, c, m, reason, s.now)
	} else {
		err = s.e.addJob(tx, c, jobSend, m.ID, nil)
	}
	if err != nil {
		return err
	}
	status, body, err := s.r.Answer(m, c.Customer)
	if err != nil {
		return err
	}
	s.sent.Answer, err = s.r.Once.remember(tx, s.line, s.now, status, body)
	return err
}

func (s *sending) message() *kabar.Message {
	ttl := s.r.TTL
	if ttl == 0 {
		ttl = kabar.DefaultTTL
	}
	return &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: s.r.Content,
		Context: kabar.Context{ReplyTo: s.r.ReplyTo}, At: s.now, Expires: s.now.Add(ttl)}
}

// checkTargets refuses to quote or react to what is not in the conversation.
func (s *sending) checkTargets(tx *store.Tx, c *kabar.Conversation, m *kabar.Message) error {
	for _, t := range []struct {
		field string
		id    kabar.MessageID
	}{{"context.message_id", m.Context.ReplyTo}, {"reaction.message_id", targetOf(m.Content)}} {
		if t.id == 0 {
			continue
		}
		other, err := tx.Message(c.Number, t.id)
		if isMissing(err) || (err == nil && other.Conversation != c.ID) {
			return kabar.Refuse(kabar.ReasonInvalid, t.field, "there is no such message in this conversation")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func targetOf(c kabar.Content) kabar.MessageID {
	if r, ok := c.(*kabar.Reaction); ok {
		return r.Target
	}
	return 0
}

var (
	bsuid  = regexp.MustCompile(`^[A-Z]{2}\.[0-9A-Za-z]{1,128}$`)
	digits = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)
	layout = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "\u00a0", "")
)

// ParseRecipient reads what an application calls a customer: a phone number in a usual international writing, or a BSUID.
func ParseRecipient(to string) (kabar.Customer, error) {
	switch plain := strings.TrimPrefix(layout.Replace(to), "+"); {
	case to == "":
		return kabar.Customer{}, kabar.Refuse(kabar.ReasonMissing, "to", "say whom to send to")
	case bsuid.MatchString(to):
		return kabar.Customer{BSUID: to}, nil
	case digits.MatchString(plain):
		return kabar.Customer{WaID: plain}, nil
	}
	return kabar.Customer{}, kabar.Refuse(kabar.ReasonInvalid, "to", "is neither a phone number with its country code nor a BSUID")
}
