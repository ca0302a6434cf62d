package engine

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"kabar"
	"kabar/internal/store"
)

// Request is a message an application wants sent.
type Request struct {
	To      string        // phone number in any usual writing, wa_id, or BSUID
	Content kabar.Content // with keys of this number's media and messages
	ReplyTo kabar.MessageID
	TTL     time.Duration // zero: the default of the kind
	// Callback is told again in every status of the message: up to MaxCallback characters.
	Callback string
	// Identity, if it is set, is the hash of the recipient's keys that the message is meant for; with others it is refused.
	Identity string
	// Marketing says that the message is sent as marketing: it must be a template of that category.
	Marketing bool
	// IfClosed is sent in the place of the content when the window is closed, then or when the message's turn comes. nil: the message
	// fails.
	IfClosed *kabar.Template
	AnyFlow  bool  // a flow that is not kept here is sent as it is, rather than refused
	Once     *Once // nil: the same request twice is two messages
	// Answer renders the answer to the request. With a Once it is called within the commit, and what it renders is stored with the
	// message; without, after it, and should not fail.
	Answer func(m *kabar.Message, to kabar.Customer) (status int, body []byte, err error)
}

// MaxCallback is the longest Callback, in characters.
const MaxCallback = 512

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
	now := e.now()
	if a, err := r.Once.early(ctx, e.db, l, now); a != nil || err != nil {
		return &Sent{Answer: a, Replayed: true}, store.Refusal(err)
	}
	s, err := e.prepareSending(ctx, l, r, now)
	if err != nil {
		return nil, err
	}
	if err := s.admit(ctx, s.hint, s.commit); err != nil {
		return nil, err
	}
	//failpoint:before-answer
	if s.sent.Answer == nil {
		if s.sent.Answer, err = s.answer(); err != nil {
			return nil, err
		}
	}
	return s.sent, nil
}

// prepareSending checks what can be checked outside of the commit.
func (e *Engine) prepareSending(ctx context.Context, l *line, r Request, now time.Time) (*sending, error) {
	if err := l.mayWork(now); err != nil {
		return nil, err
	}
	to, err := ParseRecipient(r.To)
	if err != nil {
		return nil, err
	}
	def, err := e.ready(ctx, l, &r)
	if err != nil {
		return nil, store.Refusal(err)
	}
	if err := r.checkMarketing(); err != nil {
		return nil, err
	}
	if err := kabar.CheckSize(r.Content); err != nil {
		return nil, err
	}
	fallback, err := e.readyFallback(ctx, l, &r)
	if err != nil {
		return nil, store.Refusal(err)
	}
	if n := utf8.RuneCountInString(r.Callback); n > MaxCallback {
		return nil, kabar.Refuse(kabar.ReasonTooLong, "biz_opaque_callback_data", "has %d characters, the limit is %d", n, MaxCallback)
	}
	return &sending{e: e, line: l, to: to, r: r, def: def, fallback: fallback, now: now}, nil
}

// sending is one Send on its way through the writer.
type sending struct {
	e    *Engine
	line *line
	to   kabar.Customer
	r    Request
	def  *kabar.TemplateDef // of a template message; shared
	now  time.Time

	fallback *kabar.TemplateDef // of the template in r.IfClosed; shared
	solvent  bool               // what the account cannot pay for is refused, in the place of being accepted to fail

	// What has become of it.
	message  *kabar.Message
	customer kabar.Customer
	sent     *Sent
}

func (s *sending) hint(tx *store.Tx) {
	n := s.line.number.ID
	tx.WantHandle(n, s.to.Handle())
	if s.r.ReplyTo != 0 {
		tx.WantMessage(s.r.ReplyTo)
	}
	for _, def := range []*kabar.TemplateDef{s.def, s.fallback} {
		if def != nil {
			tx.WantUse(def.ID, kabar.DayOf(s.now))
		}
	}
	if kabar.AsksConsent(s.r.Content, &s.line.settings.Consent) {
		tx.WantConsent(s.line.number.Account, s.to.Handle())
	}
	s.e.wantPrice(tx, s.line, s.r.Content, s.now)
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
	m := s.compose()
	verdict, reason, err := s.judge(tx, c, m)
	if err != nil {
		return err
	}
	if verdict == kabar.Deny {
		return kabar.Refuse(reason, "to", "")
	}
	if s.r.Identity != "" && (c == nil || c.IdentityHash != s.r.Identity) {
		return kabar.Refuse(kabar.ReasonIdentity, "recipient_identity_key_hash", "is not that of the recipient's present identity")
	}
	if c == nil {
		if c, err = tx.CreateConversation(s.line.number, s.to); err != nil {
			return err
		}
	}
	if err := s.checkTargets(tx, c, m); err != nil {
		return err
	}
	var bill *kabar.LedgerEntry
	if verdict == kabar.Allow {
		if bill, reason, err = s.e.quote(tx, s.line, c, m, s.now); err != nil {
			return err
		}
		if reason != "" && s.solvent {
			return kabar.Refuse(reason, "", "")
		}
		if reason != "" {
			verdict = kabar.AcceptAndFail
		}
	}
	if verdict == kabar.Allow {
		if err := s.pair(c); err != nil {
			return err
		}
	}
	if err := errors.Join(tx.AppendMessage(c, m), charge(tx, bill, m)); err != nil {
		return err
	}
	if err := place(tx, m); err != nil {
		return err
	}
	tx.After(func() {
		s.e.counted(m.Content.Kind(), kabar.Accepted, "")
		s.e.note(Note{Number: s.line.number.ID, Fact: FactAccepted})
	})
	if err := s.begin(tx, c, m, verdict, reason); err != nil {
		return err
	}
	s.message, s.customer = m, c.Customer
	if s.r.Once == nil {
		return nil // the answer is not stored, so the other operations need not wait for it
	}
	a, err := s.answer()
	if err != nil {
		return err
	}
	s.sent.Answer, err = s.r.Once.remember(tx, s.line, s.now, a.Status, a.Body, c.ID)
	return err
}

// begin has the message sent, or held, or fail.
func (s *sending) begin(tx *store.Tx, c *kabar.Conversation, m *kabar.Message, verdict kabar.Verdict, reason kabar.Reason) error {
	if err := s.e.count(tx, m, s.now); err != nil {
		return err
	}
	if verdict == kabar.AcceptAndFail {
		return s.e.fail(tx, s.line, c, m, reason, s.now)
	}
	if held, err := s.paced(tx, m); held || err != nil {
		return err
	}
	return s.e.addJob(tx, c, jobSend, m.ID, nil)
}

func (s *sending) answer() (*store.Answer, error) {
	status, body, err := s.r.Answer(s.message, s.customer)
	return &store.Answer{Status: status, Body: body, At: s.now}, err
}

func (s *sending) compose() *kabar.Message {
	ttl := s.r.TTL
	switch {
	case ttl != 0:
	case s.def != nil:
		ttl = s.def.Lifetime()
	default:
		ttl = kabar.DefaultTTL
	}
	return &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: s.r.Content, IfClosed: s.r.IfClosed,
		Context: kabar.Context{ReplyTo: s.r.ReplyTo, Callback: s.r.Callback}, At: s.now, Expires: s.now.Add(ttl)}
}
