package kabar

// WithArticle puts the article before a kind of JSON value, as encoding/json names them.
func WithArticle(kind string) string {
	if kind == "array" || kind == "object" {
		return "an " + kind
	}
	return "a " + kind
}
