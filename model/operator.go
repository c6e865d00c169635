package model

import (
	"fmt"

	"github.com/millrace/millrace/stream"
)

// OpID is an operator's position in its model.
type OpID int

// Port names an output of an operator.
type Port string

// The ports. Out is the main output. Late and Arrival exist on sources: rows behind
// the watermark, and the stream in arrival order without lateness. Errors exists on
// every operator that may err and has ErrorSchema.
const (
	Out     Port = "out"
	Late    Port = "late"
	Arrival Port = "arrival"
	Errors  Port = "errors"
)

// ErrorSchema is the schema of every Errors port: the operator (stream, view or sink
// name), why, the raw record or the row as JSON, and for sources the file and the
// line (1-based; 0 where there is none).
var ErrorSchema = stream.NewSchema(
	stream.Field{Name: "operator", Type: stream.Varchar, NotNull: true},
	stream.Field{Name: "reason", Type: stream.Varchar, NotNull: true},
	stream.Field{Name: "record", Type: stream.Varchar},
	stream.Field{Name: "file", Type: stream.Varchar},
	stream.Field{Name: "line", Type: stream.BigInt},
)

// Edge is where an input comes from.
type Edge struct {
	Op   OpID
	Port Port
}

// Kind tells what an operator does.
type Kind uint8

// The kinds, each with the payload field of Operator that describes it.
//
//	Source     no input. Reads a connector, computes columns, assigns watermarks, orders
//	           by event time behind the watermark (ingress). Ports Out, Late, Arrival, Errors.
//	Filter     rows for which every predicate is TRUE, order kept.
//	Project    one output column per expression, order kept. Relation properties (time,
//	           window) are carried by columns of the output.
//	WindowOp   puts a window on a relation. Logically every row once per window it is in,
//	           plus hidden columns window_start, window_end, window_time (Range) or
//	           window_index (Rows), ordered by window then row; rows of windows that never
//	           fill or close do not appear. Instant forms add no column.
//	Aggregate  groups by keys - within each window when the input carries one, per instant
//	           when it is instant, else over the whole bounded input. Output columns: keys,
//	           aggregates, then the window's columns (see Operator.Relation). Without keys:
//	           one row, except that a Range window no row of which is left gives none. With
//	           keys: groups in residence order (docs/semantics.md). No aggregates: DISTINCT.
//	Join       inputs left and right, both windowed with equal slide (pairs by window_end
//	           or index) or both instant. Output: left columns, then right columns; rows
//	           ordered by (window, left row, right row).
//	Lookup     input 0 a stream, input 1 a bounded table read whole first. Every stream row
//	           with its matching table rows in table order; left columns, then right.
//	Union      all inputs' rows, same schema: by (event time, input, position), without
//	           event time alternating by position.
//	Emit       relation to stream: ends an instant region (from its WindowOps to here).
//	Sink       writes its input's visible columns to a connector.
//	Unnest     every row once per element of an array, in the order of elements, with the
//	           element; see Unnest.
//	Sort       the rows of each window of its input, or of the whole bounded input, in
//	           another order, or some of them; see Sort.
const (
	SourceOp Kind = iota
	FilterOp
	ProjectOp
	WindowOp
	AggregateOp
	JoinOp
	LookupOp
	UnionOp
	EmitOp
	SinkOp
	SortOp
	UnnestOp
)

var kindNames = [...]string{"source", "filter", "project", "window", "aggregate", "join", "lookup", "union", "emit", "sink", "sort", "unnest"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// ParseKind is the inverse of String.
func ParseKind(s string) (Kind, bool) {
	for i, n := range kindNames {
		if n == s {
			return Kind(i), true
		}
	}
	return 0, false
}

// Operator is one node of a model.
type Operator struct {
	ID       OpID
	Name     string // stream, view or sink it stands for; made up where there is none, unique in the model
	Kind     Kind
	Inputs   []Edge
	Relation Relation // of the Out port (a sink: of its input)

	Source    *Source
	Filter    []*Expr // FilterOp: conjuncts, all BOOLEAN
	Project   []*Expr // ProjectOp
	Window    *Window // WindowOp
	Aggregate *Aggregate
	Join      *Join // JoinOp and LookupOp
	Emit      EmitMode
	Sink      *Sink
	Sort      *Sort
	Unnest    *Unnest
}

// ErrorPolicy says what a failing row does to the job.
type ErrorPolicy uint8

// The policies.
const (
	ErrorsToPort ErrorPolicy = iota // to the Errors port, counted
	ErrorsFail                      // the first one fails the job
)

// LatePolicy says where late rows go.
type LatePolicy uint8

// The policies.
const (
	LateToPort LatePolicy = iota // to the Late port, counted
	LateDrop                     // only counted
)

// Source describes a stream read from a connector. The relation's schema holds the
// physical columns, computed columns and nothing else; Computed[i] is nil for a
// physical column, else an expression over the physical columns.
type Source struct {
	Connector string
	Options   map[string]string // connector's and format's, names canonical
	Computed  []*Expr
	// WatermarkDelayMicros is the bound of WATERMARK FOR ts AS ts - bound; meaningful when
	// the relation has an event time.
	WatermarkDelayMicros int64
	MaxJumpMicros        int64 // rows further ahead of the watermark go to Errors; 0: off
	IdleTimeoutMicros    int64 // 0: never idle
	OnError              ErrorPolicy
	Late                 LatePolicy
	// PositionalHeader etc. belong to the connector's options.
}

// Aggregate groups rows.
type Aggregate struct {
	Keys []*Expr
	Aggs []Agg
	Peak *Peak // nil: every group is put out
}

// Peak keeps, of the groups of each window, those with the greatest (Max) or least (Min)
// value in an output column, all of them if several are equal. NaN is the greatest value
// and equal to itself, 0 and -0 are equal; NULL is neither greatest nor least, so that
// nothing is left of a window that has only NULLs. Groups that err are not among them.
type Peak struct {
	Func   AggFunc
	Column int
}

// PeakType reports whether a column of the type can have a peak: numbers and times.
func PeakType(t stream.Type) bool {
	return t.Storage() != stream.Varchar && (t.IsNumeric() || t.IsTime())
}

// Join joins by equality of LeftKeys[i] and RightKeys[i] (same types; NULL matches
// nothing) and the residual conjuncts On over the left columns followed by the right.
//
// Outer keeps the left rows without partner (LEFT JOIN): a left row that no right row of its
// window, or of the table, matches goes on once, in its place, with NULL in all right columns.
// A left row whose key fails is an error row and nothing else; one for which On fails with
// some right row, an error row too, is not one without partner.
type Join struct {
	LeftKeys, RightKeys []*Expr
	On                  []*Expr
	Outer               bool
}

// Unnest expands rows: the output is the input's columns, then the element - a column for
// each member if elements are ROWs, of which NULL has NULL in all -, then, if Ordinality,
// the element's number as an INTEGER, the first being 1. A row whose array is NULL or empty
// goes on once, with NULL in all of these, if Outer, and else not at all. A row for which
// Array fails is an error row and nothing else.
type Unnest struct {
	Array      *Expr
	Ordinality bool
	Outer      bool
}

// Columns are the types of the columns that the operator adds, the last of which is the
// element's number if it has one.
func (u *Unnest) Columns() (out []stream.Type) {
	element := u.Array.Type.Element()
	for _, m := range element.Members() {
		out = append(out, m.Type)
	}
	if out == nil {
		out = []stream.Type{element}
	}
	if u.Ordinality {
		out = append(out, stream.Integer)
	}
	return out
}

// EmitMode is CQL's relation-to-stream operator.
type EmitMode uint8

// The modes: rows new at an instant (multiset difference from the previous one), the whole
// relation at every instant, or rows that are gone at an instant.
const (
	Istream EmitMode = iota
	Rstream
	Dstream
)

var emitModeNames = [...]string{"istream", "rstream", "dstream"}

func (m EmitMode) String() string {
	if int(m) < len(emitModeNames) {
		return emitModeNames[m]
	}
	return fmt.Sprintf("EmitMode(%d)", uint8(m))
}

// ResultConnector is the connector of a bare SELECT's sink: rows go to whoever
// started the job.
const ResultConnector = "result"

// Sink describes where rows go.
type Sink struct {
	Connector string
	Options   map[string]string
	OnError   ErrorPolicy
	Result    int // ordinal of the bare SELECT; ResultConnector only
}

// Model is a dataflow. Operators stand in topological order and Ops[i].ID == i.
type Model struct {
	Ops []*Operator
}

// Add appends an operator and gives it its ID.
func (m *Model) Add(op *Operator) *Operator {
	op.ID = OpID(len(m.Ops))
	m.Ops = append(m.Ops, op)
	return op
}

// Input returns the operator behind input i of op.
func (m *Model) Input(op *Operator, i int) *Operator { return m.Ops[op.Inputs[i].Op] }

// Schema returns the schema an edge carries.
func (m *Model) Schema(e Edge) *stream.Schema {
	if e.Port == Errors {
		return ErrorSchema
	}
	return m.Ops[e.Op].Relation.Schema
}

// EdgeRelation returns the relation an edge carries. Late and Arrival have the
// source's schema in arrival order; Errors has ErrorSchema.
func (m *Model) EdgeRelation(e Edge) Relation {
	op := m.Ops[e.Op]
	switch e.Port {
	case Out:
		return op.Relation
	case Errors:
		return Relation{Schema: ErrorSchema, Time: -1, Bounded: op.Relation.Bounded}
	default:
		return Relation{Schema: op.Relation.Schema, Time: -1, Bounded: op.Relation.Bounded}
	}
}

// Consumers returns, for every operator, the edges' readers: operator and input number.
func (m *Model) Consumers() map[Edge][]Reader {
	out := map[Edge][]Reader{}
	for _, op := range m.Ops {
		for i, e := range op.Inputs {
			out[e] = append(out[e], Reader{op, i})
		}
	}
	return out
}

// Reader is an operator's input.
type Reader struct {
	Op    *Operator
	Input int
}
