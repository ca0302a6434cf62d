package uitest

import "fmt"

// Hostile returns more than 500 texts that try to be more than text: tags, attributes, scripts in every place of a page
// where text could end up, broken encodings, and characters that turn text around. In a page that is safe each of them is
// only drawn. A script that runs calls pwned().
func Hostile() []string {
	const js = "pwned()"
	var out []string
	for _, before := range []string{"", `"`, `'`, "`", ">", `">`, `'>`, "-->", "</textarea>", "</title>", "</style>", "</script>", "]]>", "\x00", "&lt;", "{{", "{{.}}", "${", "\u2028", "</pre></dialog>"} {
		for _, body := range tags(js) {
			out = append(out, before+body)
		}
	}
	out = append(out, links(js)...)
	return append(out,
		"\u202egnp.exe", "\u200f\u200e\u2066\u2069", "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306", "\ufeff", "\ufffd", "\xff\xfe<b>", "\xc0\xbcscript\xc0\xbe",
		"\r\ndata: <img src=x onerror=pwned()>\r\n\r\n", "\nid: 99999\ndata: x\n\n", "\rdata: <b>x</b>\r\r", "%3Cscript%3Epwned()%3C/script%3E",
		"\\u003cscript\\u003e", "\\x3cscript\\x3e", "&#60;script&#62;", "&lt;script&gt;", "＜script＞pwned()＜/script＞", "{{printf \"%s\" .}}", "#{7*7}", "<%= 7*7 %>",
		"../../etc/passwd", "C:\\con\\aux.txt", "a\nb\tc", "'; DROP TABLE messages; --", "*<b>x</b>*", "_<i>_", "```<script>pwned()</script>```", "~</span><script>pwned()</script>~",
	)
}

func tags(js string) []string {
	out := []string{
		"<script>" + js + "</script>", "<SCRIPT>" + js + "</SCRIPT>", "<scr<script>ipt>" + js + "</script>", "<script src=//x.example/x.js></script>",
		"<style>*{background:url(javascript:" + js + ")}</style>", "<base href=//x.example/>", "<meta http-equiv=refresh content=0;url=javascript:" + js + ">",
		"<iframe srcdoc='<script>" + js + "</script>'></iframe>", "<form action=javascript:" + js + "><button>go</button></form>", "<template><script>" + js + "</script></template>",
		"<math><mtext><table><mglyph><style><img src=x onerror=" + js + ">", "<svg><animate onbegin=" + js + " attributeName=x dur=1s>", "<noscript><p title=\"</noscript><img src=x onerror=" + js + ">\">",
	}
	for _, handler := range []string{"img src=x onerror", "svg onload", "body onload", "input autofocus onfocus", "details open ontoggle", "video src=x onerror", "audio src=x onerror", "a href=# onclick", "dialog open onclose", "p style=animation-name:x onanimationstart"} {
		out = append(out, "<"+handler+"="+js+">", "<"+handler+"='"+js+"'/>")
	}
	for _, attribute := range []string{"onmouseover", "onfocus", "style", "data-call", "data-stream", "data-into", "data-get"} {
		out = append(out, "x "+attribute+"="+js+" x=", `" `+attribute+`="`+js)
	}
	return out
}

func links(js string) []string {
	var out []string
	for _, scheme := range []string{"javascript:", "JaVaScRiPt:", "java\tscript:", " javascript:", "data:text/html,<script>", "vbscript:", "blob:", "file:///", "view-source:"} {
		out = append(out, scheme+js, "https://x.example/"+scheme+js)
	}
	for _, host := range []string{"x.example", "[::1]", "user:pass@x.example", "x.example:99999", "%00", "\u202e", "x\"onclick=" + js, "x'>" + js, "x<b>"} {
		out = append(out, fmt.Sprintf("http://%s/?q=%s", host, js), fmt.Sprintf("see https://%s/#%s.", host, js))
	}
	return out
}
