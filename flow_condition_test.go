package kabar

import (
	"strings"
	"testing"
)

func TestFlowCondition(t *testing.T) {
	named := func(ref string) any {
		return map[string]any{"form.pet": "dog", "form.age": "42", "form.sure": true, "form.none": nil, "form.many": []any{"a"}, "form.no": []any{},
			"data.n": 7.0, "data.deep.flag": false, "screen.ONE.form.x": "it's"}[ref]
	}
	for text, want := range map[string]bool{
		"${form.sure}":                                   true,
		"!${form.sure}":                                  false,
		"!!${form.sure}":                                 true,
		"${form.pet} == 'dog'":                           true,
		"'dog'==${form.pet}":                             true,
		"${form.pet} == 'Dog'":                           false,
		"${form.pet} != 'dog'":                           false,
		"${form.pet} != 'cat' && ${form.sure}":           true,
		"${form.pet} == 'cat' || ${form.sure}":           true,
		"${form.sure} || ${form.none} && ${form.none}":   true,
		"(${form.sure} || ${form.none}) && ${form.none}": false,
		"!(${form.pet} == 'cat')":                        true,
		"${form.age} >= 42":                              true,
		"${form.age} > 42":                               false,
		"${form.age} < 42.5":                             true,
		"${form.age} <= -1":                              false,
		"${form.age} == 42":                              true,
		"${form.pet} > 3":                                false,
		"${form.pet} == 3":                               false,
		"${form.none} < 3":                               false,
		"${form.none} == ''":                             true,
		"${form.none} == false":                          true,
		"${form.none} == 0":                              false,
		"${form.none} != 'x'":                            true,
		"${form.many}":                                   true,
		"${form.no}":                                     false,
		"${form.many} == 'a'":                            false,
		"${form.many} == ${form.many}":                   false,
		"${data.n} == 7 == true && ${data.n} != '7x'":    true,
		"${data.deep.flag} == false":                     true,
		"${form.sure} == true":                           true,
		"${form.sure} == 'true'":                         false,
		"${screen.ONE.form.x} != ${form.pet}":            true,
		"`${form.age} >= 18`":                            true,
		" ( ( ${form.sure} ) ) ":                         true,
	} {
		c, err := readFlowCondition(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := c.holds(named); got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
}

func TestFlowConditionFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "its end stands where a value is expected",
		"( )":                     `")" at column 3 stands where a value is expected`,
		"${form.a":                "a closing brace is missing",
		"${form.a} == 'x":         "a closing quote is missing",
		"(${form.a}":              "its end stands where a closing parenthesis is missing",
		"${form.a})":              `")" at column 10 is not expected`,
		"${form.a} ${form.b}":     `"${form.b}" at column 11 is not expected`,
		"${form.a} = 'x'":         `"= 'x'" at column 11 is not expected`,
		"${form.a} ==":            "its end stands where a value is expected",
		"&& ${form.a}":            `"&& ${form.a}" at column 1 stands where a value is expected`,
		"${form.a} == yes":        `"yes" at column 14 stands where a value is expected`,
		"${form.a} == 1e":         `"1e" at column 14 stands where a value is expected`,
		"${form.a} == -":          `"-" at column 14 stands where a value is expected`,
		"573 == 376":              `"376" at column 8 cannot be compared`,
		"true":                    "names nothing",
		"!false || true":          "names nothing",
		"${a}":                    "${a} names nothing",
		"${form}":                 "${form} names nothing",
		"${form.}":                "${form.} names nothing",
		"${screen.S}":             "names nothing",
		strings.Repeat("(", 1000): "nests too deep",
		strings.Repeat("!", 1000): "nests too deep",
	} {
		if _, err := readFlowCondition(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30s: %v, want %s", text, err, want)
		}
	}
}

// What can be read comes to the same whenever it is asked, and to the opposite behind a "!".
func FuzzFlowCondition(f *testing.F) {
	for _, text := range []string{"${form.a} == 'x' && (${data.b} >= -1.5 || !${screen.S.form.c})", "`${form.a}`", "((", "'", "${", "1 == ${form.a} != true"} {
		f.Add(text, "x")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		c, err := readFlowCondition(text)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("a fault says nothing")
			}
			return
		}
		if len(c.refs) == 0 {
			t.Fatalf("%q names nothing", text)
		}
		for _, v := range []any{nil, value, true, 1.5, []any{value}, map[string]any{"a": value}} {
			named := func(ref string) any {
				if !isFlowRef(ref) {
					t.Fatalf("%q names %q", text, ref)
				}
				return v
			}
			is := c.holds(named)
			if is != c.holds(named) {
				t.Fatalf("%q is true and is not", text)
			}
			if inner, ok := backquoted(text); ok {
				text = inner
			}
			if not, err := readFlowCondition("!(" + text + ")"); err == nil && not.holds(named) == is {
				t.Fatalf("%q is as its opposite", text)
			}
		}
	})
}
