package model

import (
	"maps"
	"math"
	"slices"

	"github.com/millrace/millrace/stream"
)

// Equal reports whether two models are the same. Lists and maps may be nil on one side
// and empty on the other; NaN literals are equal.
func Equal(a, b *Model) bool { return slices.EqualFunc(a.Ops, b.Ops, equalOperator) }

func equalOperator(a, b *Operator) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Kind == b.Kind && slices.Equal(a.Inputs, b.Inputs) &&
		equalRelation(&a.Relation, &b.Relation) &&
		equalPointers(a.Source, b.Source, equalSource) &&
		equalExprs(a.Filter, b.Filter) && equalExprs(a.Project, b.Project) &&
		equalPointers(a.Window, b.Window, equalWindow) &&
		equalPointers(a.Aggregate, b.Aggregate, equalAggregate) &&
		equalPointers(a.Join, b.Join, equalJoin) &&
		a.Emit == b.Emit && equalPointers(a.Sink, b.Sink, equalSink) && equalPointers(a.Sort, b.Sort, equalSort) && equalPointers(a.Unnest, b.Unnest, equalUnnest)
}

func equalPointers[T any](a, b *T, equal func(a, b *T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(a, b)
}

func equalExprs(a, b []*Expr) bool { return slices.EqualFunc(a, b, (*Expr).Equal) }

func equalRelation(a, b *Relation) bool {
	return a.Time == b.Time && a.Bounded == b.Bounded && a.Changelog == b.Changelog &&
		equalPointers(a.Window, b.Window, equalWindow) &&
		equalPointers(a.Schema, b.Schema, func(a, b *stream.Schema) bool { return slices.Equal(a.Fields, b.Fields) })
}

func equalWindow(a, b *Window) bool {
	return a.Kind == b.Kind && a.Size == b.Size && a.Slide == b.Slide && slices.Equal(a.PartitionBy, b.PartitionBy)
}

func equalSource(a, b *Source) bool {
	return a.Connector == b.Connector && maps.Equal(a.Options, b.Options) && equalComputed(a.Computed, b.Computed) &&
		a.WatermarkDelayMicros == b.WatermarkDelayMicros && a.MaxJumpMicros == b.MaxJumpMicros &&
		a.IdleTimeoutMicros == b.IdleTimeoutMicros && a.OnError == b.OnError && a.Late == b.Late
}

// equalComputed: a missing list says the same as a list of nils.
func equalComputed(a, b []*Expr) bool {
	at := func(l []*Expr, i int) *Expr {
		if i < len(l) {
			return l[i]
		}
		return nil
	}
	for i := range max(len(a), len(b)) {
		if !at(a, i).Equal(at(b, i)) {
			return false
		}
	}
	return true
}

// Equal reports whether two aggregates compute the same of the same input.
func (a *Aggregate) Equal(b *Aggregate) bool { return equalAggregate(a, b) }

func equalAggregate(a, b *Aggregate) bool {
	return equalExprs(a.Keys, b.Keys) && equalPointers(a.Peak, b.Peak, func(a, b *Peak) bool { return *a == *b }) && slices.EqualFunc(a.Aggs, b.Aggs, Agg.Equal)
}

func equalJoin(a, b *Join) bool {
	return equalExprs(a.LeftKeys, b.LeftKeys) && equalExprs(a.RightKeys, b.RightKeys) && equalExprs(a.On, b.On) && a.Outer == b.Outer
}

func equalUnnest(a, b *Unnest) bool {
	return a.Array.Equal(b.Array) && a.Ordinality == b.Ordinality && a.Outer == b.Outer
}

func equalSink(a, b *Sink) bool {
	return a.Connector == b.Connector && maps.Equal(a.Options, b.Options) && a.OnError == b.OnError && a.Result == b.Result
}

// equalLiteral: NaN is itself, and 0 is not -0, which prints and divides differently.
func equalLiteral(a, b stream.Value) bool {
	if math.IsNaN(a.F) && math.IsNaN(b.F) {
		a.F, b.F = 0, 0
	}
	return a == b && math.Signbit(a.F) == math.Signbit(b.F)
}
