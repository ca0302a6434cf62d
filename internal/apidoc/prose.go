package apidoc

import "strings"

// block is a paragraph, or a list, of a description.
type block struct {
	List  bool
	Lines [][]span // of a paragraph: one
}

// span is text in one style.
type span struct {
	Text string
	Code bool
}

// prose reads what our descriptions use of CommonMark: paragraphs, lists of one line an entry, and code between backticks.
func prose(text string) (blocks []block) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var b block
		var words []string
		for line := range strings.SplitSeq(paragraph, "\n") {
			entry, is := strings.CutPrefix(line, "- ")
			switch {
			case is:
				b.List = true
				b.Lines = append(b.Lines, spans(entry))
			case line != "":
				words = append(words, line)
			}
		}
		if len(words) > 0 {
			blocks = append(blocks, block{Lines: [][]span{spans(strings.Join(words, " "))}})
		}
		if b.List {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

func spans(line string) (list []span) {
	for i, part := range strings.Split(line, "`") {
		if part != "" {
			list = append(list, span{part, i%2 == 1})
		}
	}
	return list
}
