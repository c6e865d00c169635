package optest

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

var regexps = []string{"a", "b+", "(a)(b)?", "^a|b$", "[é世]", "", "x*", "(?i)ab", "(", "a{2}", `\d+`, "^.*$"}

var similars = []string{"%", "a%", "_b", "(a|b)+", "[ab]*", "a{2}b", "%(é|世)_", `\%`, `a\`, "[", "a#%", "."}

var replacements = []string{"", "x", "<$0>", `\1`, "$1", "$12", `\\`, "$", "é", `\`}

// sensible is an argument of a kind that the function is made for; nil: any will do.
func (g *Gen) sensible(f string, i int, t stream.Type) *model.Expr {
	at, pattern := function.PatternArgument[f]
	switch {
	case pattern && i == at && f == "similar":
		return model.Lit(stream.Text(pick(g, similars)))
	case pattern && i == at:
		return model.Lit(stream.Text(pick(g, regexps)))
	case f == "similar" && i == 2:
		return model.Lit(stream.Text(pick(g, []string{"#", `\`, "", "##"})))
	case f == "regexp_like" && i == 2:
		return model.Lit(stream.Text(pick(g, []string{"i", "", "ims", "x"})))
	case f == "regexp_replace" && i == 2:
		return model.Lit(stream.Text(pick(g, replacements)))
	case (f == "repeat" || f == "lpad" || f == "rpad") && i == 1:
		return model.Lit(stream.Big(pick(g, []int64{0, 1, 2, 3, 7, 20, -1, 300 << 10, 1 << 62})))
	case counted[f] && t == stream.BigInt && i > 0:
		return model.Lit(stream.Big(g.Int64N(9) - 3))
	}
	return nil
}

// counted are functions whose numbers behind the first argument are few.
var counted = map[string]bool{
	"left": true, "right": true, "split_index": true, "split_part": true, "overlay": true, "position": true,
	"round_to": true, "truncate_to": true, "regexp_extract": true,
}
