package model

import (
	"fmt"
	"strings"
)

// DOT returns the model as a graph in the language of Graphviz, sources on the left.
// A node shows kind, name and what it does; edges from other ports than out say which.
func DOT(m *Model) string {
	var b strings.Builder
	b.WriteString("digraph millrace {\n  rankdir=LR;\n  node [shape=box, fontname=\"Helvetica\", fontsize=10];\n")
	b.WriteString("  edge [fontname=\"Helvetica\", fontsize=9];\n")
	for _, op := range m.Ops {
		fmt.Fprintf(&b, "  op%d [label=%s, shape=%s];\n", op.ID, dotText(m.label(op)), dotShape(op.Kind))
	}
	for _, op := range m.Ops {
		for i, e := range op.Inputs {
			fmt.Fprintf(&b, "  op%d -> op%d", e.Op, op.ID)
			switch {
			case e.Port != Out:
				fmt.Fprintf(&b, " [label=%s, style=dashed]", dotText(string(e.Port)))
			case len(op.Inputs) > 1:
				fmt.Fprintf(&b, " [label=%s]", dotText(fmt.Sprint(i)))
			}
			b.WriteString(";\n")
		}
	}
	return b.String() + "}\n"
}

func (m *Model) label(op *Operator) string {
	lines := []string{fmt.Sprintf("#%d %s %s", op.ID, op.Kind, op.Name)}
	f := &formatter{m: m}
	in := f.inputFields(op)
	for _, e := range op.Filter {
		lines = append(lines, oneLine(e.SQL(in)))
	}
	switch {
	case op.Source != nil:
		lines = append(lines, op.Source.Connector)
	case op.Sink != nil:
		lines = append(lines, op.Sink.Connector)
	case op.Window != nil:
		lines = append(lines, strings.Join(windowWords(op.Window.Kind.String(), op.Window)[2:], " "))
	case op.Unnest != nil:
		lines = append(lines, oneLine(op.Unnest.sql(in)))
	case op.Kind == EmitOp:
		lines = append(lines, op.Emit.String())
	case op.Aggregate != nil:
		for _, k := range op.Aggregate.Keys {
			lines = append(lines, "by "+oneLine(k.SQL(in)))
		}
		for _, g := range op.Aggregate.Aggs {
			lines = append(lines, oneLine(g.sql(in)))
		}
		if p := op.Aggregate.Peak; p != nil {
			lines = append(lines, "peak "+string(p.Func)+" "+oneLine((&Expr{Kind: ColumnExpr, Column: p.Column}).SQL(op.Relation.Schema.Fields)))
		}
	case op.Join != nil:
		if op.Join.Outer {
			lines = append(lines, "left outer")
		}
		for i := range min(len(op.Join.LeftKeys), len(op.Join.RightKeys)) {
			left := len(f.fieldsOf(op.Inputs[0]))
			lines = append(lines, oneLine(op.Join.LeftKeys[i].SQL(in)+" = "+op.Join.RightKeys[i].SQL(in[min(left, len(in)):])))
		}
		for _, e := range op.Join.On {
			lines = append(lines, oneLine(e.SQL(in)))
		}
	}
	return strings.Join(lines, "\n")
}

func dotShape(k Kind) string {
	switch k {
	case SourceOp, SinkOp:
		return "cylinder"
	case WindowOp:
		return "cds"
	default:
		return "box"
	}
}

// dotText quotes a label: DOT knows only \" and \\, and \n for a line's end.
func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
