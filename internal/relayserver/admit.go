package relayserver

import (
	"bytes"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kabar/internal/relayproto"
)

// Admission says who may register an account that the relay does not know.
type Admission int

// The ways of admission.
const (
	InviteOnly       Admission = iota // who brings an invite of the operator
	OpenRegistration                  // everybody, for networks that nobody else can reach
	CodesOnly                         // everybody without an invite, a business by a verification code, for the same networks
)

// application is a request for an account by somebody whose key is proved.
type application struct {
	device *device // as it is to be: address, class, key, recovery
	old    *device // the account as it was when the request was judged; nil: there was none. One that is not revoked has been proved.
	invite string
	code   string
	host   []byte // SHA-256 of the host's secret; nil: none
	now    time.Time
	admit  Admission
	known  bool  // whose business it is, nobody has to prove
	made   *code // the verification code that came of it; nil: none, or it was there
}

// free says whether it needs neither invite nor code.
func (a *application) free() bool {
	return a.admit == OpenRegistration || a.admit == CodesOnly && (a.known || a.device.class != forBusiness)
}

// enrol decides about a and makes the account. A refusal changes nothing but verification codes, so what it has written is
// to be committed.
func (s *store) enrol(tx *sql.Tx, a *application) error {
	current, err := s.findIn(tx, a.device.addr)
	switch {
	case err != nil:
		return err
	case !same(current, a.old):
		return later(relayproto.Refused_OVERLOADED, fullRetry, "the account has changed meanwhile")
	case current == nil && a.free():
		return s.insert(tx, a.device, 0, a.now)
	case current == nil:
		by, err := s.admit(tx, a, 0)
		if err != nil {
			return err
		}
		return s.insert(tx, a.device, by, a.now)
	case !current.revoked():
		return s.replace(tx, current, a.device.key, a.device.recovery)
	}
	by, err := s.admit(tx, a, current.revokedAt)
	if err != nil {
		return stillRevoked(err)
	}
	return s.readmit(tx, current, a.device, by, a.now)
}

// same says whether a device is what it was.
func same(now, then *device) bool {
	if now == nil || then == nil {
		return now == then
	}
	return bytes.Equal(now.key, then.key) && now.revokedAt == then.revokedAt
}

// stillRevoked says of a refused registration that it is of a revoked account.
func stillRevoked(err error) error {
	if r, ok := errors.AsType[*refusal](err); ok && r.Code == relayproto.Refused_REGISTRATION {
		return revoked("only a new invite of its operator brings it back; of the one given it says: " + r.Detail)
	}
	return err
}

// admit returns the invite by which the account may be made, and marks what it uses up. Only invites made after since
// (milliseconds) count.
func (s *store) admit(tx *sql.Tx, a *application, since int64) (int64, error) {
	if a.device.class == forBusiness {
		return s.admitBusiness(tx, a, since)
	}
	return s.admitCustomer(tx, a, since)
}

// notAdmitted refuses a registration: what is wrong, and what to do.
func notAdmitted(format string, args ...any) error {
	return refuse(relayproto.Refused_REGISTRATION, fmt.Sprintf(format, args...))
}

// given returns the invite that the application brings, if such an application may be made with it.
func (s *store) given(tx *sql.Tx, a *application, since int64) (*invite, error) {
	switch {
	case a.invite == "":
		return nil, notAdmitted("this relay admits by invite: ask its operator for one")
	case !isInvite(a.invite):
		return nil, notAdmitted("what was given is no invite (%s and 33 letters and digits): look for a typing mistake", invitePrefix)
	}
	i, err := s.inviteBy(tx, a.invite)
	switch {
	case err != nil:
		return nil, err
	case i == nil:
		return nil, notAdmitted("this relay has not made the invite: is it another relay's?")
	case i.class == forBusiness && a.device.class != forBusiness:
		return nil, notAdmitted("the invite is for a business: phones need one of kabar relay invite --host --customers N")
	case i.class == forHost && a.device.class != forHost:
		return nil, notAdmitted("the invite is for phones: a business needs one of kabar relay invite")
	case i.revokedAt != 0:
		return nil, notAdmitted("the relay's operator has revoked the invite")
	case i.createdAt <= since:
		return nil, notAdmitted("the invite is older than the revocation")
	}
	return i, nil
}

// admitBusiness admits a number by an invite and the code that belongs to it.
func (s *store) admitBusiness(tx *sql.Tx, a *application, since int64) (int64, error) {
	number := a.device.addr.Account
	if !validBusiness(number) {
		return 0, notAdmitted("a business's number has 7 to 15 digits and begins with its country code")
	}
	i, err := s.inviteFor(tx, a, since)
	if err != nil {
		return 0, err
	}
	switch {
	case i.usedAt != 0:
		return 0, notAdmitted("the invite was used already: every number needs one of its own, from kabar relay invite")
	case i.account != "" && i.account != number:
		return 0, notAdmitted("the invite is for another number")
	case i.expiresAt <= a.now.UnixMilli():
		return 0, expiredInvite
	}
	if err := s.verify(tx, a, i.id); err != nil {
		return 0, err
	}
	if err := s.dropCodes(tx, number); err != nil {
		return 0, err
	}
	return i.id, s.useInvite(tx, i.id, number, nil, a.now)
}

// inviteFor returns the invite by which a business is to be admitted: the one it brings, or where none is asked for its own.
func (s *store) inviteFor(tx *sql.Tx, a *application, since int64) (*invite, error) {
	if a.admit != CodesOnly {
		return s.given(tx, a, since)
	}
	i, err := s.ownInvite(tx, a.device.addr.Account, since, a.now)
	if i != nil || err != nil {
		return i, err
	}
	i = &invite{class: forBusiness, account: a.device.addr.Account, seats: 1, createdAt: max(a.now.UnixMilli(), since+1),
		expiresAt: a.now.Add(InviteLife).UnixMilli()}
	return i, s.addInvite(tx, i, newSecret())
}

var expiredInvite = notAdmitted("the invite has expired: the relay's operator makes a new one with kabar relay invite")

// verify returns nil when a brings the code that is pending for an invite. It makes one when there is none.
func (s *store) verify(tx *sql.Tx, a *application, invite int64) error {
	number := a.device.addr.Account
	c, err := s.codeOf(tx, invite, a.now)
	switch {
	case err != nil:
		return err
	case c == nil:
		c = &code{invite: invite, account: number, text: newCode(), createdAt: a.now.UnixMilli(), expiresAt: a.now.Add(codeLife).UnixMilli()}
		if err := s.putCode(tx, c); err != nil {
			return err
		}
		a.made = c
		return toVerify
	case c.account != number:
		return notAdmitted("the invite is reserved for another number, which waits for its verification, until %s",
			time.UnixMilli(c.expiresAt).UTC().Format(time.RFC3339))
	case c.void():
		return wrongCode(0, time.UnixMilli(c.expiresAt).Sub(a.now))
	case a.code == "":
		return toVerify
	case subtle.ConstantTimeCompare([]byte(c.text), []byte(a.code)) == 1:
		return nil
	}
	c.wrong++
	if c.void() {
		c.text = ""
	}
	if err := s.putCode(tx, c); err != nil {
		return err
	}
	return wrongCode(maxWrong-c.wrong, time.UnixMilli(c.expiresAt).Sub(a.now))
}

var toVerify = refuse(relayproto.Refused_VERIFY, "the relay's operator sees it with kabar relay codes")

// admitCustomer admits a customer of a host: by an invite that is bound to the host and has a seat left, or by a new one,
// which is bound to it now.
func (s *store) admitCustomer(tx *sql.Tx, a *application, since int64) (int64, error) {
	if !validCustomer(a.device.addr.Account) {
		return 0, notAdmitted("a customer's account is a number of 7 to 15 digits, or a user id such as ID.1aB2cD")
	}
	if a.host == nil {
		return 0, notAdmitted("the program does not say which one it is: is it an older version?")
	}
	bound, err := s.hostInvites(tx, a.host, since)
	if err != nil {
		return 0, err
	}
	seats := 0
	for _, i := range bound {
		taken, err := s.seatsTaken(tx, i.id)
		if err != nil || taken < i.seats {
			return i.id, err
		}
		seats += i.seats
	}
	full := notAdmitted("the phone program has the customers it was invited for (%d): the relay's operator admits more with "+
		"kabar relay invite --host --customers N, to be given with --invite", seats)
	if a.invite == "" && seats > 0 {
		return 0, full
	}
	i, err := s.given(tx, a, since)
	switch {
	case err != nil:
		return 0, err
	case i.host != nil && bytes.Equal(i.host, a.host):
		return 0, full
	case i.host != nil:
		return 0, notAdmitted("the invite was used already, by another phone program: every one needs its own")
	case i.expiresAt <= a.now.UnixMilli():
		return 0, expiredInvite
	}
	return i.id, s.useInvite(tx, i.id, "", a.host, a.now)
}
