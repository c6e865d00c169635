package model

import (
	"slices"

	"github.com/millrace/millrace/stream"
)

// StateKind says what an operator keeps from one row to the next.
type StateKind uint8

// The kinds of state.
const (
	NoState       StateKind = iota
	SourceState             // a position in the input, and rows held back for order
	WindowedState           // open windows
	KeyedState              // by the columns of Properties.Keys
	GlobalState             // one state that every row may read or change
)

var stateKindNames = [...]string{"none", "source", "windowed", "keyed", "global"}

func (k StateKind) String() string { return stateKindNames[k] }

// Selectivity says how many rows come out for one that goes in.
type Selectivity uint8

// The categories.
const (
	ExactlyOne Selectivity = iota
	AtMostOne
	AnyNumber
)

var selectivityNames = [...]string{"exactly one", "at most one", "any number"}

func (s Selectivity) String() string { return selectivityNames[s] }

// Properties is what the safety conditions of optimizations read of an operator. It
// is derived from the operator's kind and payload.
type Properties struct {
	State       StateKind
	Keys        []*Expr // KeyedState: what partitions the state, over the input's columns
	Selectivity Selectivity
	// Forwards[i] is the column of input 0 that output column i repeats unchanged, or -1.
	Forwards []int
	// NeedsOrder: the rows that come out depend on the order of those that go in.
	NeedsOrder    bool
	Deterministic bool // the same rows in give the same rows out
	MayErr        bool // the Errors port can have rows
	SideEffects   bool // it reaches the world outside
}

// Properties describes the operator.
func (op *Operator) Properties() Properties {
	p := Properties{Deterministic: true, Forwards: op.forwards(), MayErr: op.mayErr()}
	switch op.Kind {
	case SourceOp:
		p.State, p.Selectivity, p.SideEffects = SourceState, AnyNumber, true
	case FilterOp:
		p.Selectivity = AtMostOne
	case WindowOp, JoinOp:
		p.State, p.Selectivity, p.NeedsOrder = WindowedState, AnyNumber, true
	case AggregateOp:
		p.State, p.Selectivity, p.NeedsOrder = WindowedState, AnyNumber, true
		if op.Relation.Window == nil {
			p.State, p.Keys = KeyedState, op.Aggregate.Keys
			if len(p.Keys) == 0 {
				p.State = GlobalState
			}
		}
	case LookupOp:
		p.State, p.Selectivity = GlobalState, AnyNumber
	case UnnestOp:
		p.Selectivity = AnyNumber
	case SortOp:
		p.State, p.Selectivity, p.NeedsOrder = WindowedState, AtMostOne, true
	case UnionOp, EmitOp:
		p.State, p.Selectivity, p.NeedsOrder = GlobalState, AnyNumber, true
	case SinkOp:
		p.State, p.NeedsOrder, p.SideEffects = GlobalState, true, true
	}
	return p
}

// mayErr: the operator can make error rows. Every source can (a record may not parse).
func (op *Operator) mayErr() bool {
	switch op.Kind {
	case SourceOp:
		return true
	case FilterOp:
		return AnyMayErr(op.Filter)
	case ProjectOp:
		return AnyMayErr(op.Project)
	case UnnestOp:
		return op.Unnest.Array.MayErr()
	case AggregateOp:
		if AnyMayErr(op.Aggregate.Keys) {
			return true
		}
		return slices.ContainsFunc(op.Aggregate.Aggs, Agg.mayErr)
	case JoinOp, LookupOp:
		return AnyMayErr(op.Join.LeftKeys) || AnyMayErr(op.Join.RightKeys) || AnyMayErr(op.Join.On)
	}
	return false
}

// mayErr: an argument or filter errs, or a result leaves the range of its type.
func (g Agg) mayErr() bool {
	return g.Bounded() || g.Arg.MayErr() || g.By.MayErr() || g.Filter.MayErr()
}

// KeysOnly reports whether a join or lookup compares keys and nothing else, none of which
// can fail.
func (op *Operator) KeysOnly() bool {
	return op.Join != nil && len(op.Join.On) == 0 && len(op.Join.LeftKeys) > 0 && !op.mayErr()
}

func (op *Operator) forwards() []int {
	out := make([]int, op.Relation.Schema.Len())
	for i := range out {
		out[i] = -1
	}
	bare := func(exprs []*Expr) {
		for i, e := range exprs {
			if e.Kind == ColumnExpr && i < len(out) {
				out[i] = e.Column
			}
		}
	}
	switch op.Kind {
	case FilterOp, UnionOp, SinkOp, SortOp:
		for i := range out {
			out[i] = i
		}
		if op.Sort != nil && op.Sort.Number {
			out[len(out)-1] = -1
		}
	case ProjectOp:
		bare(op.Project)
	case AggregateOp:
		bare(op.Aggregate.Keys)
	case WindowOp:
		for i := range len(out) - len(windowColumns(op.Window)) {
			out[i] = i
		}
	}
	return out
}

// windowColumns are the roles of the columns that a window appends.
func windowColumns(w *Window) []stream.Role {
	switch {
	case w == nil || w.Kind.Instant():
		return nil
	case w.Kind.Spans():
		return []stream.Role{stream.WindowStart, stream.WindowEnd, stream.WindowTime}
	default:
		return []stream.Role{stream.WindowIndex}
	}
}

// MergesByStart is the column of window_start by which a Union merges rows of the same
// time, -1 if it does not: its inputs are session windows, and those of several keys may
// end together.
func (op *Operator) MergesByStart() int {
	if op.Kind != UnionOp || !op.Relation.Windowed() || op.Relation.Window.Kind != Session || op.Relation.Time < 0 {
		return -1
	}
	return op.Relation.Schema.RoleIndex(stream.WindowStart)
}
