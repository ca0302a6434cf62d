package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxConfig is how long a configuration file may be, in bytes: ten times what the samples are.
const maxConfig = 64 << 10

// maxComplaint is how much of the reader's complaint about a file is passed on, in bytes.
const maxComplaint = 200

// readConfig reads a configuration file: keys, each with a value. Numbers stay as they are written, since a key may want a text:
// 0811 is no octal number.
func readConfig(file string) (map[string]ast.Node, error) {
	text, err := readAtMost(file, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	docs, err := oneDocument(file, "configuration", text)
	if err != nil {
		return nil, err
	}
	values := map[string]ast.Node{}
	for _, d := range docs {
		keys, ok := d.Body.(ast.MapNode)
		if !ok {
			return nil, fmt.Errorf("%s: want keys with values, such as addr: 127.0.0.1:9090", file)
		}
		for all := keys.MapRange(); all.Next(); {
			values[all.Key().GetToken().Value] = all.Value()
		}
	}
	return values, nil
}

// oneDocument parses a YAML file, which is one of what: at most one document that is not empty. What stands behind another --- would
// be left out in silence.
func oneDocument(file, what string, text []byte) ([]*ast.DocumentNode, error) {
	tree, err := parser.ParseBytes(bytes.TrimPrefix(text, []byte("\ufeff")), 0)
	if err != nil {
		// Without the lines around the mistake, which can hold a secret.
		return nil, fmt.Errorf("%s: %.*s", file, maxComplaint, yaml.FormatError(err, false, false))
	}
	docs := slices.DeleteFunc(tree.Docs, func(d *ast.DocumentNode) bool { return d.Body == nil })
	if len(docs) > 1 {
		return nil, fmt.Errorf("%s: has a second part behind ---; a file is one %s", file, what)
	}
	return docs, nil
}

// readAtMost reads a file that must not be longer than most.
func readAtMost(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s has more than %d KiB: not a configuration file", file, most>>10)
	}
	return text, err
}

// flagText writes a value of the file as it would stand on the command line.
func flagText(flag *kong.Flag, value ast.Node) (string, error) {
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		return scalar(value)
	}
	if !flag.IsSlice() {
		return "", errors.New("is a list, and takes one value")
	}
	texts := make([]string, len(list.Values))
	for i, v := range list.Values {
		text, err := scalar(v)
		if err != nil {
			return "", fmt.Errorf("[%d] %w", i, err)
		}
		texts[i] = text
	}
	return kong.JoinEscaped(texts, flag.Tag.Sep), nil
}

func scalar(value ast.Node) (string, error) {
	switch v := value.(type) {
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return value.GetToken().Value, nil
	case *ast.NullNode:
		return "", errors.New("has no value")
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return "", errors.New("is given by an anchor, an alias or a tag (&, * or !): write the value itself, in quotes if it begins so")
	}
	return "", errors.New("holds more keys or lists: keys are flags, and their values a text, a number, true or false, or a list of these")
}

// fits says whether a flag takes a text. Kong says so, too, but not where the text came from.
func fits(flag *kong.Flag, text string) error {
	into := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text})}, into); err != nil {
		return err
	}
	if allowed := flag.EnumSlice(); flag.Enum != "" && !slices.Contains(allowed, text) {
		return fmt.Errorf("%q: want one of %s", text, strings.Join(allowed, ", "))
	}
	return nil
}
