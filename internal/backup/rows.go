package backup

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"kabar/internal/store"
)

// appendRow adds a row as a JSON array: an int64 is a number, a string a string, a []byte a string in base64.
func appendRow(dst []byte, row []any) ([]byte, error) {
	dst = append(dst, '[')
	for i, v := range row {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch v := v.(type) {
		case int64:
			dst = strconv.AppendInt(dst, v, 10)
		case []byte:
			dst = append(dst, '"')
			dst = base64.StdEncoding.AppendEncode(dst, v)
			dst = append(dst, '"')
		case string:
			if !utf8.ValidString(v) { // it would come back as another one
				return nil, fmt.Errorf("a text that is no UTF-8: %q", v)
			}
			text, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			dst = append(dst, text...)
		default:
			return nil, fmt.Errorf("a value of the type %T", v)
		}
	}
	return append(dst, ']'), nil
}

// parseRow reads what appendRow has written for a table with these columns.
func parseRow(line []byte, cols []store.Column) ([]any, error) {
	var fields []json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return nil, err
	}
	if len(fields) != len(cols) {
		return nil, fmt.Errorf("%d values for %d columns", len(fields), len(cols))
	}
	row := make([]any, len(cols))
	for i, f := range fields {
		v, err := parseValue(f, cols[i].Kind)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cols[i].Name, err)
		}
		row[i] = v
	}
	return row, nil
}

func parseValue(f json.RawMessage, kind string) (any, error) {
	if kind == "bigint" {
		return strconv.ParseInt(string(f), 10, 64)
	}
	if len(f) < 2 || f[0] != '"' {
		return nil, errors.New("want a string")
	}
	if kind == "text" {
		var s string
		err := json.Unmarshal(f, &s)
		return s, err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(string(f[1 : len(f)-1]))
	if err != nil {
		return nil, err
	}
	return b, nil
}
