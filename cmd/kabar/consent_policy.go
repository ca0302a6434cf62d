package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/store"
)

type consentPolicyCmd struct {
	storeFlags `embed:""`
	Number     string            `help:"The number; may be left out when there is one." placeholder:"NUMBER" env:"-"`
	Required   bool              `help:"Send templates only to who has opted in." xor:"required" env:"-"`
	Advisory   bool              `help:"Send templates to who has not opted in, too; the default." xor:"required" env:"-"`
	Cap        *int              `help:"Messages of marketing that a customer gets in 24 hours outside the window, up to 1000; 0 is no limit." placeholder:"N" env:"-"`
	Stop       map[string]string `help:"Words that opt out, by language, such as es=baja,alto." mapsep:";" placeholder:"LANGUAGE=WORDS" env:"-"`
	Start      map[string]string `help:"Words that opt in, by language." mapsep:";" placeholder:"LANGUAGE=WORDS" env:"-"`
}

// Help is shown by kabar consent policy --help.
func (*consentPolicyCmd) Help() string {
	return `Without flags it shows the policy and the words that are understood. --stop and --start replace the words of the language that they
name; those of other languages stay. --stop es=default brings back the words that a number begins with. An empty list, --stop es=, switches
a language's words off: nothing that customers write in it opts them out any more.`
}

// consentPolicy is what is to be changed.
type consentPolicy struct {
	Number   string            `json:"number"`
	Required *bool             `json:"required"`
	Cap      *int              `json:"cap"`
	Stop     map[string]string `json:"stop"`
	Start    map[string]string `json:"start"`
}

// Run shows or changes a policy.
func (c *consentPolicyCmd) Run(ctx context.Context, s streams) error {
	in := consentPolicy{Number: c.Number, Cap: c.Cap, Stop: c.Stop, Start: c.Start}
	if c.Required || c.Advisory {
		in.Required = &c.Required
	}
	return c.operate(ctx, func(op *control.Client) error {
		var p kabar.ConsentPolicy
		if err := op.Call(ctx, "consent.policy", in, &p, nil); err != nil {
			return err
		}
		mode, limit := "advisory", "none"
		if p.Required {
			mode = "required"
		}
		if p.Cap > 0 {
			limit = fmt.Sprintf("%d in 24 hours", p.Cap)
		}
		if _, err := fmt.Fprintf(s.out, "Consent  %s\nCap      %s\n", mode, limit); err != nil {
			return err
		}
		var rows [][]string
		for _, language := range slices.Sorted(maps.Keys(p.Words)) {
			rows = append(rows, []string{language, orDash(strings.Join(p.Words[language].Stop, ", ")), orDash(strings.Join(p.Words[language].Start, ", "))})
		}
		for _, language := range slices.Sorted(maps.Keys(c.Stop)) {
			if len(p.Words[language].Stop) == 0 {
				fmt.Fprintf(s.err, "Note: no word of %[1]s opts out any more; --stop %[1]s=default brings back those there were.\n", language)
			}
		}
		return printTable(s.out, "LANGUAGE|STOP|START", rows)
	})
}

// consentPolicy changes the policy of a number, and returns it with all words that are understood.
func (p *parts) consentPolicy(ctx context.Context, in consentPolicy, _ control.Report) (out kabar.ConsentPolicy, err error) {
	n, err := p.oneNumber(ctx, in.Number)
	if err != nil {
		return out, err
	}
	err = p.changeSettings(ctx, n.ID, func(s *kabar.Settings) error {
		err := in.apply(&s.Consent)
		out = s.Consent
		return err
	})
	words := kabar.DefaultConsentWords()
	maps.Copy(words, out.Words)
	out.Words = words
	return out, told(err)
}

// maxCap is the highest cap of marketing: more is none.
const maxCap = 1000

func (in *consentPolicy) apply(p *kabar.ConsentPolicy) error {
	if in.Required != nil {
		p.Required = *in.Required
	}
	if in.Cap != nil {
		if *in.Cap < 0 || *in.Cap > maxCap {
			return kabar.Refuse(kabar.ReasonInvalid, "cap", "is %d, allowed are 0 (none) to %d", *in.Cap, maxCap)
		}
		p.Cap = *in.Cap
	}
	words := maps.Clone(p.Words)
	if words == nil {
		words = map[string]kabar.ConsentWords{}
	}
	for _, change := range []struct {
		of   map[string]string
		list func(*kabar.ConsentWords) *[]string
	}{
		{in.Stop, func(w *kabar.ConsentWords) *[]string { return &w.Stop }},
		{in.Start, func(w *kabar.ConsentWords) *[]string { return &w.Start }},
	} {
		for language, text := range change.of {
			if !slices.Contains(kabar.TemplateLanguages(), language) {
				return kabar.Refuse(kabar.ReasonInvalid, "language", "%q is unknown: write it as templates have it, such as es or pt_BR", language)
			}
			begun := kabar.DefaultConsentWords()[language]
			w, ok := words[language]
			if !ok {
				w = begun
			}
			*change.list(&w) = wordsOf(text, *change.list(&begun))
			w, err := w.Plain()
			if err != nil {
				return err
			}
			words[language] = kabar.ConsentWords{Stop: once(w.Stop), Start: once(w.Start)}
			if slices.Equal(w.Stop, begun.Stop) && slices.Equal(w.Start, begun.Start) {
				delete(words, language) // so that it follows what a later version knows
			}
		}
	}
	p.Words = words
	return nil
}

// wordsOf reads a list of words; default stands for those that a number begins with.
func wordsOf(text string, begun []string) []string {
	if strings.TrimSpace(text) == "default" {
		return begun
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// once returns the words in order, each once.
func once(words []string) (all []string) {
	for _, w := range words {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}

// changeSettings changes a number's settings, through the running server when there is one.
func (p *parts) changeSettings(ctx context.Context, id kabar.NumberID, change func(*kabar.Settings) error) error {
	if p.engine != nil {
		return p.engine.ChangeSettings(ctx, id, func(s *kabar.Settings, _ *string) error { return change(s) })
	}
	return p.db.Write(ctx, nil, func(tx *store.Tx) error {
		n, s, err := tx.Number(id)
		if err != nil {
			return err
		}
		if err := change(&s); err != nil {
			return err
		}
		return tx.SaveNumber(n, s)
	})
}

// oneNumber finds the number that was named, or the only one.
func (p *parts) oneNumber(ctx context.Context, digits string) (*kabar.Number, error) {
	all, err := p.db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	var known []string
	for _, n := range all {
		if n.Digits == strings.TrimPrefix(digits, "+") || digits == "" && len(all) == 1 {
			return n, nil
		}
		known = append(known, n.Digits)
	}
	if digits == "" && len(all) > 0 {
		return nil, control.Refuse("there are several numbers; say with --number which is meant: %s", strings.Join(known, ", "))
	}
	return nil, control.Refuse("there is no number %s; there are: %s", digits, orDash(strings.Join(known, ", ")))
}
