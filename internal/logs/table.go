package logs

import "strings"

// rule says what is done with the value of an attribute, by its name.
type rule int

const (
	scan   rule = iota // any other name: phone numbers and URLs within the value are masked
	person             // the value is a phone number or another name of somebody: masked as a whole
	secret             // never shown
	plain              // an id that this product has made, or a stack: shown as it is
)

// rules is the table. Names are in lower case; those of groups do not count.
var rules = map[string]rule{
	"account": person, "business": person, "bsuid": person, "customer": person, "digits": person, "from": person, "handle": person,
	"msisdn": person, "number": person, "owner": person, "peer": person, "phone": person, "recipient": person, "to": person, "wa_id": person,

	"api_key": secret, "authorization": secret, "code": secret, "cookie": secret, "credential": secret, "invite": secret, "key": secret,
	"master_key": secret, "passphrase": secret, "password": secret, "pin": secret, "recovery": secret, "secret": secret, "token": secret,

	"body": secret, "caption": secret, "content": secret, "payload": secret, "text": secret,

	"envelope": plain, "message_id": plain, "ref": plain, "request_id": plain, "stack": plain, "webhook_id": plain,
}

// ruleOf returns the rule of a name.
func ruleOf(name string) rule { return rules[strings.ToLower(name)] }
