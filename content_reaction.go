package kabar

import (
	"strings"
	"unicode"
)

// KindReaction is a reaction to a message.
const KindReaction Kind = "reaction"

// maxEmoji is the longest emoji in bytes. The longest of the Unicode standard, a couple of two skin tones, has 35.
const maxEmoji = 64

// Reaction is an emoji put on another message of the conversation.
type Reaction struct {
	Target  MessageID `json:"target,omitempty"`  // the message reacted to
	Unknown string    `json:"unknown,omitempty"` // inbound: the network's id of a target that we do not have
	Emoji   string    `json:"emoji,omitempty"`   // empty: the reaction is taken back
}

// Kind returns KindReaction.
func (r *Reaction) Kind() Kind { return KindReaction }

// Validate checks that there is a target and that the emoji is empty or one emoji.
func (r *Reaction) Validate() error {
	if r.Target == 0 {
		return fault(ReasonMissing, "reaction.message_id", "is required: the message to react to")
	}
	if err := checkString("reaction.emoji", r.Emoji); err != nil {
		return err
	}
	if len(r.Emoji) > maxEmoji {
		return fault(ReasonInvalid, "reaction.emoji", "has %d bytes, the limit is %d", len(r.Emoji), maxEmoji)
	}
	if r.Emoji != "" && !isEmoji(r.Emoji) {
		return fault(ReasonInvalid, "reaction.emoji", "must be a single emoji, or empty to take the reaction back")
	}
	return nil
}

// Characters that join or change the pictures of an emoji.
const (
	zeroWidthJoiner = "\u200d"
	emojiVariation  = '\ufe0f'
	keycap          = "\ufe0f\u20e3"
)

// isEmoji reports whether s has the form of one emoji: elements joined by the zero width joiner, or a flag of two
// regional indicators (UTS 51, 1.4.9). It does not ask whether such a picture exists: new ones appear every year.
func isEmoji(s string) bool {
	if r := []rune(s); len(r) == 2 && isRegional(r[0]) && isRegional(r[1]) {
		return true
	}
	for element := range strings.SplitSeq(s, zeroWidthJoiner) {
		if !isEmojiElement([]rune(element)) {
			return false
		}
	}
	return true
}

// isEmojiElement reports whether r is a picture with at most one modification: a skin tone, a variation selector, a
// keycap, or the tags of a sub-division's flag.
func isEmojiElement(r []rune) bool {
	if len(r) == 0 {
		return false
	}
	if strings.ContainsRune("0123456789#*", r[0]) {
		return string(r[1:]) == keycap
	}
	if !isPictograph(r[0]) {
		return false
	}
	switch rest := r[1:]; len(rest) {
	case 0:
		return true
	case 1:
		return rest[0] == emojiVariation || isSkinTone(rest[0])
	default:
		return isTagSequence(rest)
	}
}

func isRegional(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// isPictograph is generous: the emoji blocks as a whole, with room for new pictures, and the older symbols among which
// emoji were later found. A lone regional indicator is a letter, not a flag.
func isPictograph(r rune) bool {
	switch {
	case r >= 0x1F000 && r <= 0x1FAFF:
		return !isRegional(r)
	case r >= 0x203C && r <= 0x32FF:
		return r == 0x2139 || unicode.In(r, unicode.S, unicode.Po, unicode.Pd)
	}
	return r == 0xA9 || r == 0xAE
}

// isTagSequence reports whether r, of at least two characters, is a run of tag characters and their end mark.
func isTagSequence(r []rune) bool {
	end := len(r) - 1
	for _, t := range r[:end] {
		if t < 0xE0020 || t > 0xE007E {
			return false
		}
	}
	return r[end] == 0xE007F
}
