package model

import (
	"fmt"

	"github.com/millrace/millrace/stream"
)

// OperatorError is what Verify finds wrong with an operator.
type OperatorError struct {
	ID      OpID
	Name    string
	Message string
}

func (e *OperatorError) Error() string {
	return fmt.Sprintf("model: operator #%d %q: %s", e.ID, e.Name, e.Message)
}

// Verify checks that the model can be run: order and edges, names, relations, types of
// expressions, windows. It may be called on anything that Parse returns; whoever
// rewrites a model calls it afterwards. The first fault found is returned, as an
// *OperatorError where it belongs to an operator.
func Verify(m *Model) error {
	if m == nil || len(m.Ops) == 0 {
		return fmt.Errorf("model: it has no operators")
	}
	names := map[string]OpID{}
	for i, op := range m.Ops {
		if op == nil {
			return fmt.Errorf("model: operator #%d is missing", i)
		}
		v := &verifier{m: m, op: op}
		if msg := v.operator(OpID(i), names); msg != "" {
			return &OperatorError{ID: OpID(i), Name: op.Name, Message: msg}
		}
		names[op.Name] = op.ID
	}
	return nil
}

// verifier checks one operator; everything it reads of earlier operators has been
// verified. Its methods return "" or what is wrong.
type verifier struct {
	m  *Model
	op *Operator
	in []Relation // of the inputs
}

func (v *verifier) operator(id OpID, names map[string]OpID) string {
	op := v.op
	switch {
	case op.ID != id:
		return fmt.Sprintf("its id is %d, not its position", op.ID)
	case op.Name == "":
		return "it has no name"
	case int(op.Kind) >= len(kindNames):
		return fmt.Sprintf("unknown kind %d", op.Kind)
	}
	if other, taken := names[op.Name]; taken {
		return fmt.Sprintf("its name is already that of operator #%d", other)
	}
	return firstOf(v.inputs, v.relation, v.onlyOwnPayload, v.payload)
}

// firstOf returns the first fault; a check runs only if those before it found none.
func firstOf(checks ...func() string) string {
	for _, check := range checks {
		if msg := check(); msg != "" {
			return msg
		}
	}
	return ""
}

func (v *verifier) inputs() string {
	least, most := 1, 1
	switch v.op.Kind {
	case SourceOp:
		least, most = 0, 0
	case JoinOp, LookupOp:
		least, most = 2, 2
	case UnionOp:
		most = len(v.m.Ops)
	}
	if n := len(v.op.Inputs); n < least || n > most {
		return fmt.Sprintf("a %s has %d inputs, not %d", v.op.Kind, least, n)
	}
	for i, e := range v.op.Inputs {
		if msg := v.edge(e); msg != "" {
			return fmt.Sprintf("input %d: %s", i, msg)
		}
		v.in = append(v.in, v.m.EdgeRelation(e))
	}
	return ""
}

func (v *verifier) edge(e Edge) string {
	if e.Op < 0 || e.Op >= v.op.ID {
		return fmt.Sprintf("#%d is not an operator before it", e.Op)
	}
	from := v.m.Ops[e.Op]
	switch e.Port {
	case Out, Errors:
		if from.Kind == SinkOp {
			return fmt.Sprintf("#%d is a sink and has no outputs", e.Op)
		}
	case Late, Arrival:
		if from.Kind != SourceOp {
			return fmt.Sprintf("only a source has port %s, and #%d is a %s", e.Port, e.Op, from.Kind)
		}
	default:
		return fmt.Sprintf("there is no port %q", e.Port)
	}
	return ""
}

// relation checks what the operator says of its own output, and the claims that are
// the same for every kind.
func (v *verifier) relation() string {
	r := &v.op.Relation
	if r.Schema == nil {
		return "its relation has no schema"
	}
	for i, f := range r.Schema.Fields {
		if !validType(f.Type) {
			return fmt.Sprintf("column %d has no valid type", i)
		}
		if int(f.Role) > int(stream.WindowIndex) {
			return fmt.Sprintf("column %d has an unknown role", i)
		}
	}
	if r.Time < -1 || r.Time >= r.Schema.Len() {
		return fmt.Sprintf("time column %d does not exist", r.Time)
	}
	if r.Time >= 0 && r.Schema.Fields[r.Time].Type != stream.Timestamp {
		return fmt.Sprintf("time column %d is %s, not TIMESTAMP", r.Time, r.Schema.Fields[r.Time].Type)
	}
	if r.Changelog {
		return "changelogs are not supported in this version"
	}
	if r.Window != nil {
		if msg := verifyWindow(r.Window, nil); msg != "" {
			return "window carried: " + msg
		}
	}
	for i := range v.in {
		if r.Bounded && !v.in[i].Bounded {
			return fmt.Sprintf("it is bounded but input %d is not", i)
		}
	}
	return v.carriers()
}

// carriers: a relation that carries a closing window has the window's columns.
func (v *verifier) carriers() string {
	r := &v.op.Relation
	for _, role := range windowColumns(r.Window) {
		i := r.Schema.RoleIndex(role)
		if i < 0 {
			return fmt.Sprintf("it carries a window but has no column with role %s", role)
		}
		want := stream.Timestamp
		if role == stream.WindowIndex {
			want = stream.BigInt
		}
		if got := r.Schema.Fields[i].Type; got != want {
			return fmt.Sprintf("column %d with role %s is %s, not %s", i, role, got, want)
		}
	}
	return ""
}

func validType(t stream.Type) bool { return t.Valid() }

// onlyOwnPayload: exactly the payload field of its kind is set.
func (v *verifier) onlyOwnPayload() string {
	op := v.op
	for _, p := range []struct {
		kind bool
		set  bool
		name string
	}{
		{op.Kind == SourceOp, op.Source != nil, "Source"},
		{op.Kind == FilterOp, op.Filter != nil, "Filter"},
		{op.Kind == ProjectOp, op.Project != nil, "Project"},
		{op.Kind == WindowOp, op.Window != nil, "Window"},
		{op.Kind == AggregateOp, op.Aggregate != nil, "Aggregate"},
		{op.Kind == JoinOp || op.Kind == LookupOp, op.Join != nil, "Join"},
		{op.Kind == SinkOp, op.Sink != nil, "Sink"},
		{op.Kind == SortOp, op.Sort != nil, "Sort"},
		{op.Kind == UnnestOp, op.Unnest != nil, "Unnest"},
	} {
		if p.set && !p.kind {
			return fmt.Sprintf("a %s with a %s payload", op.Kind, p.name)
		}
		listed := op.Kind == FilterOp || op.Kind == ProjectOp // a list may be nil; its length is checked with the rest
		if p.kind && !p.set && !listed {
			return fmt.Sprintf("a %s without its %s payload", op.Kind, p.name)
		}
	}
	return ""
}

func (v *verifier) payload() string {
	switch v.op.Kind {
	case SourceOp:
		return v.source()
	case FilterOp:
		return v.filter()
	case ProjectOp:
		return v.project()
	case WindowOp:
		return v.window()
	case AggregateOp:
		return v.aggregate()
	case JoinOp:
		return v.join()
	case LookupOp:
		return v.lookup()
	case UnionOp:
		return v.union()
	case EmitOp:
		return v.emit()
	case SortOp:
		return v.sort()
	case UnnestOp:
		return v.unnest()
	default:
		return v.sink()
	}
}

// sameColumns compares types and roles of have with those of want, from column 0.
func sameColumns(have, want []stream.Field) string {
	if len(have) != len(want) {
		return fmt.Sprintf("it has %d columns, not %d", len(have), len(want))
	}
	for i := range want {
		if have[i].Type != want[i].Type {
			return fmt.Sprintf("column %d is %s, not %s", i, have[i].Type, want[i].Type)
		}
		if have[i].Role != want[i].Role {
			return fmt.Sprintf("column %d has role %q, not %q", i, have[i].Role, want[i].Role)
		}
	}
	return ""
}

func sameWindow(a, b *Window) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Size == b.Size && a.Slide == b.Slide
}
