package sql

import (
	"math"
	"slices"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// constants are calls without arguments that stand for a number.
var constants = map[string]float64{"pi": math.Pi, "e": math.E}

// otherName is what a name that other databases use calls; order says which argument
// comes where, nil leaving them as they are.
type otherName struct {
	fn    string
	order []int
}

var otherNames = map[string]otherName{
	"btrim": {fn: "trim"}, "trunc": {fn: "truncate"}, "startswith": {fn: "starts_with"}, "endswith": {fn: "ends_with"},
	"locate": {fn: "position"}, "strpos": {"position", []int{1, 0}}, "instr": {"position", []int{1, 0, 2}},
	"bitand": {fn: "bit_and"}, "bitor": {fn: "bit_or"}, "bitxor": {fn: "bit_xor"}, "bitnot": {fn: "bit_not"},
	"array_length": {fn: "cardinality"}, "array_to_string": {fn: "array_join"}, "array_cat": {fn: "array_concat"},
	"regexp": {fn: "regexp_like"}, "rlike": {fn: "regexp_like"}, "regexp_substr": {fn: "regexp_extract"},
}

// longer are the functions that one more argument makes another one.
var longer = map[string]string{"round": "round_to", "truncate": "truncate_to"}

// otherForm is the model's function for a call, with its arguments in the model's order.
func otherForm(written, fn string, args []*model.Expr) (string, []*model.Expr) {
	if to, ok := longer[fn]; ok && len(args) == 2 {
		return to, args
	}
	order := otherNames[written].order
	if len(args) > len(order) {
		return fn, args
	}
	out := make([]*model.Expr, len(args))
	for i := range args {
		if order[i] >= len(args) {
			return fn, args
		}
		out[i] = args[order[i]]
	}
	return fn, out
}

// checkPattern compiles a regular expression or a path into JSON that is a literal.
func (x *exprs) checkPattern(e *expr, fn string, args []*model.Expr) error {
	if strings.HasPrefix(fn, "json_") && len(args) == 2 && isText(args[1]) && fn != "json_get" && fn != "json_get_text" {
		if _, err := function.CompilePath(args[1].Literal.S); err != nil {
			return x.fail(e.args[1].span, "write a path such as '$.a.b[0]'", "this path is malformed: %v", err)
		}
	}
	if (fn == "encode" || fn == "decode") && len(args) == 2 && isText(args[1]) {
		return x.checkCoding(e, fn, args)
	}
	at, ok := function.PatternArgument[fn]
	if !ok || len(args) <= at || !isText(args[at]) {
		return nil
	}
	var err error
	switch {
	case fn == "similar":
		escape := `\`
		if len(args) == 3 {
			if !isText(args[2]) {
				return nil
			}
			escape = args[2].Literal.S
		}
		_, err = function.CompileSimilar(args[at].Literal.S, escape)
	case fn == "regexp_like" && len(args) == 3:
		if !isText(args[2]) {
			return nil
		}
		_, err = function.CompilePattern(args[at].Literal.S, args[2].Literal.S)
	default:
		_, err = function.CompilePattern(args[at].Literal.S, "")
	}
	if err == nil {
		return nil
	}
	hint := "patterns are those of RE2: https://github.com/google/re2/wiki/Syntax"
	if fn == "similar" {
		hint = ""
	}
	return x.fail(e.args[at].span, hint, "this pattern is malformed: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
}

// checkCoding checks that the name given to ENCODE or DECODE is one for what stands before
// it, bytes or text; a literal there becomes what the name asks for.
func (x *exprs) checkCoding(e *expr, fn string, args []*model.Expr) error {
	name := strings.ToLower(args[1].Literal.S)
	coding, charset := slices.Contains(function.Codings, name), slices.Contains(function.Charsets, name)
	if !coding && !charset {
		all := strings.ToUpper(strings.Join(function.Charsets, ", "))
		return x.fail(e.args[1].span, "use 'hex' or 'base64', or a charset: "+all, "%s does not know %q", upper(fn), args[1].Literal.S)
	}
	want := stream.Varchar
	if (fn == "encode") == coding {
		want = stream.Bytes
	}
	if args[0].Type == want || args[0].Type == stream.Invalid {
		return nil
	}
	if isLiteral(args[0]) && want == stream.Bytes {
		if v, ok := adapt(args[0], want); ok {
			args[0] = v
			return nil
		}
	}
	hint := "CAST it to " + want.String()
	if !model.CastAllowed(args[0].Type, want) {
		hint = ""
	}
	return x.fail(e.args[0].span, hint, "%s(.., '%s') takes a %s, not %s", upper(fn), args[1].Literal.S, want, args[0].Type)
}

// isText: a literal text that is not NULL.
func isText(e *model.Expr) bool {
	return isLiteral(e) && e.Type == stream.Varchar && !e.Literal.Null
}
