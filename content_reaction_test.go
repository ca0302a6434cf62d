package kabar

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestReactionValidate(t *testing.T) {
	runRows(t, []row{
		{"no target", &Reaction{Emoji: "👍"}, ReasonMissing, "reaction.message_id"},
		{"unknown target", &Reaction{Unknown: "3EB0", Emoji: "👍"}, ReasonMissing, "reaction.message_id"},
		{"taken back", &Reaction{Target: 7}, "", ""},
		{"taken back from nothing", &Reaction{}, ReasonMissing, "reaction.message_id"},
	})
	accepted := []string{
		"👍", "❤", "❤️", "😂", "🙏", "👍🏽", "✌️", "☝🏿", "©", "®️", "™️", "ℹ️", "‼️", "⁉️", "↔️", "Ⓜ️", "㊗️", "〰️", "〽️", "▪️", "⌚", "⭐",
		"1️⃣", "#️⃣", "*️⃣", "🔟", "🇮🇩", "🇪🇸", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏳️‍🌈", "🏴‍☠️", "👨‍👩‍👧‍👦", "👩🏽‍❤️‍💋‍👨🏿", "🧑🏻‍🚀", "🫠", "🫩", "🀄", "🐈‍⬛", "❤️‍🔥", "🏽",
	}
	for _, e := range accepted {
		runRows(t, []row{{e, &Reaction{Target: 7, Emoji: e}, "", ""}})
	}
	refused := map[string]string{
		"letters": "ok", "a letter": "x", "a digit": "1", "a hash": "#", "a bare keycap": "\u20e3", "two pictures": "👍👍",
		"picture and letter": "👍a", "letter and picture": "a👍", "picture and space": "👍 ", "space": " ", "line break": "\n",
		"a Greek letter": "Ω", "a Chinese character": "漢", "an accent": "\u0301", "a picture with an accent": "👍\u0301",
		"a joiner": "\u200d", "joiner at the end": "👍\u200d", "joiner at the start": "\u200d👍", "two joiners": "👨\u200d\u200d👩",
		"a variation selector": "\ufe0f", "half a flag": "🇮", "three quarters of two flags": "🇮🇩🇪", "two flags": "🇮🇩🇪🇸",
		"tags without an end": "🏴\U000e0067", "an end without tags, twice": "🏴\U000e007f\U000e007f", "tags alone": "\U000e0067\U000e007f",
		"two skin tones": "👍🏽🏽", "keycap of a letter": "a\ufe0f\u20e3", "digit with selector": "1\ufe0f", "two keycaps": "1️⃣2️⃣",
		"right-to-left mark": "\u202e", "NUL": "\x00", "picture and NUL": "👍\x00", "invalid UTF-8": "\xf0\x9f", "replacement character": "\ufffd",
		"markup": "<b>", "65 bytes": "a" + strings.Repeat("👍", 16), "a family of 40": strings.Repeat("👨\u200d", 39) + "👨",
	}
	for name, e := range refused {
		runRows(t, []row{{name, &Reaction{Target: 7, Emoji: e}, ReasonInvalid, "reaction.emoji"}})
	}
}

// No string with a letter, a space or a control character passes for an emoji, and none is a panic.
func TestEmojiHasNoText(t *testing.T) {
	parts := rapid.SampledFrom([]string{"👍", "🏽", "\u200d", "\ufe0f", "\u20e3", "🇮", "1", "#", "🏴", "\U000e0067", "\U000e007f", "a", " ", "漢", "\x00", "\xff", "©"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(parts, 0, 8).Draw(t, "parts"), "")
		if strings.ContainsAny(s, "a 漢\x00") && isEmoji(s) {
			t.Fatalf("%q passes", s)
		}
	})
}
