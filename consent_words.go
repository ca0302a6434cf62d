package kabar

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// ConsentWords are the words of a language with which customers opt out of marketing and in again. A message is one of them when it
// says nothing else, in whatever case and with whatever punctuation around it.
type ConsentWords struct {
	Stop  []string `json:"stop"`
	Start []string `json:"start"`
}

// DefaultConsentWords returns the words that are understood unless a number has others, by language. What people say in a shop for
// other reasons, "cancel" or "end", is not among them.
func DefaultConsentWords() map[string]ConsentWords {
	return map[string]ConsentWords{
		"ar": {[]string{"إيقاف", "الغاء الاشتراك", "إلغاء الاشتراك"}, []string{"ابدأ", "اشتراك"}},
		"de": {[]string{"stopp", "abmelden", "abbestellen"}, []string{"anmelden", "abonnieren"}},
		"en": {[]string{"stop", "stop all", "unsubscribe", "opt out", "stop promotions"}, []string{"start", "unstop", "subscribe", "opt in", "resume promotions"}},
		"es": {[]string{"baja", "darse de baja", "no más promociones"}, []string{"alta", "darse de alta"}},
		"fr": {[]string{"arrêt", "arret", "désabonner", "desabonner"}, []string{"abonner", "s'abonner"}},
		"hi": {[]string{"रोकें", "बंद करें"}, []string{"शुरू करें", "शुरू"}},
		"id": {[]string{"berhenti", "berhenti langganan", "stop promosi"}, []string{"mulai", "langganan"}},
		"it": {[]string{"disiscrivimi", "annulla iscrizione"}, []string{"iscrivimi"}},
		"nl": {[]string{"afmelden", "uitschrijven"}, []string{"aanmelden", "inschrijven"}},
		"pt": {[]string{"sair", "parar", "descadastrar"}, []string{"cadastrar", "voltar"}},
	}
}

// What is compared with the words is no longer, in bytes and in words: most that people write is.
const (
	longestWord = 128
	mostWords   = 4
)

// Plain returns the words as they are compared; it refuses words that no message could be.
func (w ConsentWords) Plain() (plain ConsentWords, err error) {
	if plain.Stop, err = plainWords(w.Stop); err == nil {
		plain.Start, err = plainWords(w.Start)
	}
	return plain, err
}

func plainWords(words []string) (all []string, err error) {
	for _, word := range words {
		plain := plainWord(word)
		if plain == "" || len(plain) > longestWord || strings.Count(plain, " ") >= mostWords {
			return nil, fault(ReasonInvalid, "words", "%q cannot be a word: it needs a letter or digit, and has up to %d bytes in %d words",
				word, longestWord, mostWords)
		}
		all = append(all, plain)
	}
	return all, nil
}

// Heard returns what a text of a customer says about consent, and the word with which it does; ConsentUnknown when it says nothing.
func (p *ConsentPolicy) Heard(text string) (said ConsentState, word string) {
	if len(text) > 2*longestWord {
		return ConsentUnknown, ""
	}
	if word = plainWord(text); word == "" || strings.Count(word, " ") >= mostWords {
		return ConsentUnknown, ""
	}
	said = ConsentUnknown
	all := DefaultConsentWords()
	maps.Copy(all, p.Words)
	for _, w := range all {
		switch {
		case slices.Contains(w.Stop, word):
			return ConsentOut, word // who says both means no
		case slices.Contains(w.Start, word):
			said = ConsentIn
		}
	}
	return said, word
}

// plainWord returns a text in lower case without what stands around its words.
func plainWord(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	return strings.ToLower(strings.Join(strings.Fields(s), " "))
}
