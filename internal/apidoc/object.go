package apidoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/goccy/go-yaml"
)

// object is a JSON object that keeps the order of its members, which is the order in which a reader should meet them.
// Its values are those of encoding/json, with *object for map[string]any. A nil object is empty and cannot be set.
type object struct {
	names  []string
	values map[string]any
}

func newObject() *object { return &object{values: map[string]any{}} }

// get returns the value of a member; nil when there is none.
func (o *object) get(name string) any {
	if o == nil {
		return nil
	}
	return o.values[name]
}

// object, list and text return the value of a member when it is of that type, and nothing otherwise.
func (o *object) object(name string) *object { v, _ := o.get(name).(*object); return v }
func (o *object) list(name string) []any     { v, _ := o.get(name).([]any); return v }
func (o *object) text(name string) string    { v, _ := o.get(name).(string); return v }

// set changes a member, or adds it at the end.
func (o *object) set(name string, value any) {
	if _, ok := o.values[name]; !ok {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

// remove takes a member away and returns its value.
func (o *object) remove(name string) any {
	v, ok := o.values[name]
	if !ok {
		return nil
	}
	delete(o.values, name)
	kept := o.names[:0]
	for _, n := range o.names {
		if n != name {
			kept = append(kept, n)
		}
	}
	o.names = kept
	return v
}

// all returns the members in order.
func (o *object) all() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if o == nil {
			return
		}
		for _, n := range o.names {
			if !yield(n, o.values[n]) {
				return
			}
		}
	}
}

// objects returns the members that are objects, in order.
func (o *object) objects() iter.Seq2[string, *object] {
	return func(yield func(string, *object) bool) {
		for n, v := range o.all() {
			if child, ok := v.(*object); ok && !yield(n, child) {
				return
			}
		}
	}
}

// MarshalJSON writes the members in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, n := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := encode(n)
		if err != nil {
			return nil, err
		}
		value, err := encode(o.values[n])
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// encode writes JSON for people as well: <, > and & stay as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// parse reads a YAML file whose top is a mapping.
func parse(text []byte) (*object, error) {
	var top yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(text, &top, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	o, _ := ordered(top).(*object)
	return o, nil
}

// ordered makes objects of the mappings in a value. A name that YAML takes for a number, such as 200, is a name.
func ordered(v any) any {
	switch v := v.(type) {
	case yaml.MapSlice:
		o := newObject()
		for _, item := range v {
			o.set(fmt.Sprint(item.Key), ordered(item.Value))
		}
		return o
	case []any:
		for i := range v {
			v[i] = ordered(v[i])
		}
	}
	return v
}
