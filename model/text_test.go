package model_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/model/modeltest"
)

func TestRandomModelsReadBack(t *testing.T) {
	for seed := range uint64(400) {
		m := modeltest.Random(rand.New(rand.NewPCG(seed, 1)), 12)
		if err := model.Verify(m); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, model.Format(m))
		}
		text := model.Format(m)
		back, err := model.Parse(text)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		if !model.Equal(m, back) {
			t.Fatalf("seed %d: read back as\n%s\ninstead of\n%s", seed, model.Format(back), text)
		}
		if again := model.Format(back); again != text {
			t.Fatalf("seed %d: formats differ:\n%s\n%s", seed, again, text)
		}
		if dot := model.DOT(m); strings.Count(dot, "label=") < len(m.Ops) {
			t.Fatalf("seed %d: operators missing in\n%s", seed, dot)
		}
		for _, op := range m.Ops {
			if p := op.Properties(); len(p.Forwards) != op.Relation.Schema.Len() {
				t.Fatalf("seed %d: #%d forwards %d columns of %d", seed, op.ID, len(p.Forwards), op.Relation.Schema.Len())
			}
		}
	}
}

func TestParseErrorsPoint(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `model:1:1: a model begins with the line "millrace model 1"`},
		{"\n\nmillrace model 2\n", `model:3:1: a model begins with the line "millrace model 1"`},
		{"millrace model 1\n  time 0", "model:2:3: an operator begins with # and its number"},
		{"millrace model 1\n#1 source a", "model:2:4: this is operator #0, not #1"},
		{"millrace model 1\n#0 sauce a", `model:2:10: there is no operator kind "sauce"`},
		{"millrace model 1\n#0 source", "model:2:10: the operator's name is missing here"},
		{"millrace model 1\n#0 filter a <- #x", "model:2:16: # is followed by an operator's number"},
		{"millrace model 1\n#0 filter a\n  where $0:BOOL", `model:3:12: there is no type "BOOL"`},
		{"millrace model 1\n#0 filter a\n  where 5:BOOLEAN", "model:3:9: 5 is no literal of type BOOLEAN"},
		{"millrace model 1\n#0 filter a\n  where 5000000000:INTEGER", "model:3:9: 5000000000 is no literal of type INTEGER"},
		{"millrace model 1\n#0 filter a\n  where eq($0:REAL, 1:REAL:BOOLEAN", `model:3:27: ")" is missing here`},
		{"millrace model 1\n#0 filter a\n  where \"abc:VARCHAR", "model:3:9: this text in quotes does not end, or has a wrong escape"},
		{"millrace model 1\n#0 filter a\n  wear 1:REAL", `model:3:3: there is no line "wear" in an operator`},
		{"millrace model 1\n#0 filter a\n  key 1:REAL", "model:3:13: a filter has no keys"},
		{"millrace model 1\n#0 source a\n  column 1 x REAL", "model:3:12: this is column 0, not 1"},
		{"millrace model 1\n#0 source a\n  column 0 x REAL role boss", `model:3:28: there is no role "boss"`},
		{"millrace model 1\n#0 source a\n  bounded ;", "model:3:11: unexpected character ';'"},
		{"millrace model 1\n#0 sink a <- #5\n  as input", "model:3:11: #5 is not an operator before this one"},
		{"millrace model 1\n#0 filter a\n  where " + strings.Repeat("not(", 600), "model:3:2061: the expression nests deeper than 512"},
	} {
		_, err := model.Parse(c.text)
		var parse *model.ParseError
		if !errors.As(err, &parse) || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(model.Format(modeltest.Random(rand.New(rand.NewPCG(seed, 2)), 10)))
	}
	f.Add("millrace model 1\n#0 filter \"a\" <- #0.late\n  where add($0:REAL, -Infinity:REAL):REAL\n  as input\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := model.Parse(text)
		if err != nil {
			return
		}
		valid := model.Verify(m) == nil
		first := model.Format(m)
		back, err := model.Parse(first)
		if err != nil {
			t.Fatalf("%v in\n%s", err, first)
		}
		if second := model.Format(back); second != first {
			t.Fatalf("formats differ:\n%s\n%s", first, second)
		}
		if valid && !model.Equal(m, back) {
			t.Fatalf("a valid model reads back differently:\n%s", first)
		}
	})
}
