package egress

import (
	"net/http"
	"slices"
	"strconv"
)

// ofOurs are the names of the head's lines that do not come from a request's header.
var ofOurs = [...]string{"Content-Length", "Host", "Trailer", "Transfer-Encoding", "User-Agent"}

// appendHead appends the head of a request as [http.Request.Write] writes it, in less than half of the time, and reports whether it has: a request that
// is anything but plain is left to net/http, which knows the rules for it. Plain is a POST with a body of known length, to a host and path in ASCII,
// whose header has no odd byte.
func (c *connection) appendHead(p []byte, req *http.Request) ([]byte, bool) {
	host, path := req.URL.Host, req.URL.RequestURI()
	agent := req.Header["User-Agent"]
	if req.Method != http.MethodPost || req.ContentLength <= 0 || req.Body == nil || req.Close || req.Host != "" && req.Host != host || len(agent) != 1 ||
		len(req.TransferEncoding)+len(req.Trailer) > 0 || !plainHost(host) || !visible(path) {
		return p, false
	}
	p = append(append(append(p, req.Method...), ' '), path...)
	p = appendLine(append(p, " HTTP/1.1\r\n"...), "Host", host)
	if agent[0] != "" {
		p = appendLine(p, "User-Agent", agent[0])
	}
	p = append(strconv.AppendInt(append(p, "Content-Length: "...), req.ContentLength, 10), "\r\n"...)
	c.names = c.names[:0]
	for name := range req.Header {
		c.names = append(c.names, name)
	}
	slices.Sort(c.names)
	for _, name := range c.names {
		if slices.Contains(ofOurs[:], name) {
			continue
		}
		for _, value := range req.Header[name] {
			if p = appendLine(p, name, value); !plainLine(name, value) {
				return p, false
			}
		}
	}
	return append(p, "\r\n"...), plainLine("User-Agent", agent[0])
}

func appendLine(p []byte, name, value string) []byte {
	p = append(append(p, name...), ": "...)
	return append(append(p, value...), "\r\n"...)
}

// plainHost reports whether a host and port are in ASCII, and no address has a zone.
func plainHost(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '.' && c != '-' && c != ':' && c != '_' && c != '[' && c != ']' {
			return false
		}
	}
	return s != ""
}

// visible reports whether a text is visible ASCII without spaces.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// plainLine reports whether a line of a header needs no care: the name is of letters, digits and hyphens, and the value visible ASCII with spaces
// inside.
func plainLine(name, value string) bool {
	for i := range len(name) {
		if !alphanumeric(name[i]) && name[i] != '-' {
			return false
		}
	}
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return name != "" && (value == "" || value[0] != ' ' && value[len(value)-1] != ' ')
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
