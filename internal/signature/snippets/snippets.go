// Package snippets is code that receivers of webhooks can take as it is: it verifies a request in five languages, with their standard
// libraries alone. The manual and the console show these very files, and the tests of package signature run them.
//
// They are for secrets that both sides know (whsec_), not for key pairs.
package snippets

import "embed"

//go:embed verify.go.txt verify.mjs verify.py Verify.java verify.php
var files embed.FS

// Snippet is the code in one language.
type Snippet struct {
	Language string // as people call it
	Fence    string // as Markdown and highlighters call it
	File     string // the name to save it under
	Code     string // ends with a line break
}

// All returns the code in every language, in the order in which it is shown.
func All() []Snippet {
	return []Snippet{
		{"Go", "go", "verify.go", read("verify.go.txt")},
		{"JavaScript", "js", "verify.mjs", read("verify.mjs")},
		{"Python", "python", "verify.py", read("verify.py")},
		{"Java", "java", "Verify.java", read("Verify.java")},
		{"PHP", "php", "verify.php", read("verify.php")},
	}
}

func read(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the compiler has put it there
	}
	return string(text)
}
