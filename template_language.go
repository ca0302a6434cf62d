package kabar

import (
	"fmt"
	"slices"
	"strings"
)

// templateLanguages are the languages of templates (contract Cloud API, section 1.5).
const templateLanguages = "af sq ar ar_EG ar_AE ar_LB ar_MA ar_QA az bn bg ca zh_CN zh_HK zh_TW hr cs da nl en en_GB en_US et fil fi fr fr_CA ka de el gu ha he " +
	"hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb fa pl pt_BR pt_PT pa ro ru sr sk sl es es_AR es_ES es_MX sw sv ta te th tr uk ur uz vi zu"

// regional are the languages that may be of any country.
const regional = "ar de en es fr nl"

// TemplateLanguages returns the languages that templates can have. Arabic, Dutch, English, French, German and Spanish may be
// of any other country as well: en_AU.
func TemplateLanguages() []string { return strings.Fields(templateLanguages) }

func knownLanguage(code string) bool {
	base, country, _ := strings.Cut(code, "_")
	return slices.Contains(TemplateLanguages(), code) || country != "" && slices.Contains(strings.Fields(regional), base)
}

// codeTexts are the texts around a one-time password in a language.
type codeTexts struct{ body, advice, footer, button, autofill string }

func (t codeTexts) bodyText(advice bool) string {
	if advice {
		return t.body + " " + t.advice
	}
	return t.body
}

func (t codeTexts) footerText(minutes int) string { return fmt.Sprintf(t.footer, minutes) }

// codeText returns the texts of a language, and those of English where we have none.
func codeText(language string) codeTexts {
	base, _, _ := strings.Cut(language, "_")
	switch base {
	case "id":
		return codeTexts{"*{{1}}* adalah kode verifikasi Anda.", "Demi keamanan, jangan bagikan kode ini.", "Kode ini kedaluwarsa dalam %d menit.", "Salin kode", "Isi otomatis"}
	case "es":
		return codeTexts{"Tu código de verificación es *{{1}}*.", "Por tu seguridad, no lo compartas.", "Este código caduca en %d minutos.", "Copiar código", "Autocompletar"}
	case "pt":
		return codeTexts{"Seu código de verificação é *{{1}}*.", "Para sua segurança, não o compartilhe.", "Este código expira em %d minutos.", "Copiar código", "Preencher"}
	case "fr":
		return codeTexts{"Votre code de vérification est *{{1}}*.", "Pour votre sécurité, ne le partagez pas.", "Ce code expire dans %d minutes.", "Copier le code", "Remplir"}
	case "de":
		return codeTexts{"Dein Bestätigungscode lautet *{{1}}*.", "Gib ihn zu deiner Sicherheit nicht weiter.", "Dieser Code läuft in %d Minuten ab.", "Code kopieren", "Ausfüllen"}
	default:
		return codeTexts{"*{{1}}* is your verification code.", "For your security, do not share this code.", "This code expires in %d minutes.", "Copy code", "Autofill"}
	}
}

// AuthenticationTexts returns what a template for one-time passwords says in a language: advice adds a sentence to the body,
// and the footer is empty when minutes is zero. A language without texts of its own gets the English ones.
func AuthenticationTexts(language string, advice bool, minutes int) (body, footer, button, autofill string) {
	t := codeText(language)
	if minutes > 0 {
		footer = t.footerText(minutes)
	}
	return t.bodyText(advice), footer, t.button, t.autofill
}

// Compose writes the texts of a template for one-time passwords, which its author does not give. Others stay as they are.
func (d *TemplateDef) Compose() {
	if d.Category != CategoryAuthentication {
		return
	}
	t := codeText(d.Language)
	for i := range d.Components {
		switch c := &d.Components[i]; c.Type {
		case TemplateBody:
			c.Text = t.bodyText(c.Recommendation)
		case TemplateFooter:
			c.Text = t.footerText(c.CodeMinutes)
		case TemplateButtons:
			for j := range c.Buttons {
				b := &c.Buttons[j]
				if b.Type == ButtonOTP && b.Text == "" {
					b.Text = t.button
				}
				if b.Type == ButtonOTP && b.OTPType != "COPY_CODE" && b.Autofill == "" {
					b.Autofill = t.autofill
				}
			}
		}
	}
}
