package sql

import (
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// name is an identifier where it was written; text is folded unless it was quoted.
type name struct {
	text string
	span span
}

type statementKind uint8

const (
	createStream statementKind = iota
	createView
	insertStatement
	selectStatement
	setStatement
	showStatement
	dropStatement
	resetStatement
)

// statement is one statement of a script.
type statement struct {
	kind    statementKind
	span    span
	known   bool // of a script that was resolved before
	explain bool
	analyze bool // EXPLAIN ANALYZE
	name    name
	stream  *streamNode  // createStream
	columns []name       // INSERT INTO t (columns)
	query   *query       // also of DESCRIBE SELECT
	setting *settingNode // setStatement, resetStatement; the latter without a key: all
	show    *showNode    // showStatement

	orReplace, ifNotExists bool // CREATE
	ifExists               bool // DROP
	dropKind               statementKind
	word                   string // CREATE and DROP: STREAM, TABLE or VIEW, in small letters
}

// streamNode is CREATE STREAM or CREATE TABLE.
type streamNode struct {
	columns   []columnNode
	watermark *watermarkNode
	options   []optionNode
	optionsAt span
}

type columnNode struct {
	name     name
	typ      typeNode
	notNull  bool
	computed *expr
}

type watermarkNode struct {
	column      name
	base        name
	delayMicros int64
}

type optionNode struct {
	key, value      string
	keyAt, valueAt  span
	quoted, boolean bool
}

// typeNode is a type as written.
type typeNode struct {
	typ    stream.Type
	span   span
	length bool // VARCHAR(n): a CAST would have to cut
	cut    bool // TIMESTAMP(p) or TIME(p) with p < 6
	digits int  // p
}

// query is [WITH ..] branch UNION ALL branch .. [ORDER BY ..] [LIMIT ..]
type query struct {
	span     span
	with     []*cte
	branches []*branch
	order    *orderNode // nil: none
}

type cte struct {
	name  name
	query *query
}

// branch is a SELECT or a query in parentheses.
type branch struct {
	sel   *selectNode
	query *query
}

// selectNode is one SELECT.
type selectNode struct {
	span     span
	distinct bool
	mode     *model.EmitMode
	modeAt   span
	items    []item
	from     []*tableRef // leaves of all joins, left to right
	on       []*expr     // conditions of the inner ones
	swapped  bool        // the first two were written in the other order, with RIGHT JOIN
	where    *expr
	groupBy  []*expr   // all that occur
	sets     [][]*expr // of groupBy, the groupings; nil: one by all of them
	having   *expr
}

// item is one entry of a select list; a star has no expression.
type item struct {
	expr   *expr
	star   bool
	table  *name // t.*
	alias  *name
	span   span
	column *model.Expr // a star, resolved to its columns
}

// tableRef is a relation of FROM.
type tableRef struct {
	span   span
	name   name
	file   bool // name is a file's, written in quotes
	query  *query
	table  *tableRef // what a window function was written around
	time   *name     // its DESCRIPTOR
	window *windowNode
	alias  *name
	asOf   *expr // FOR SYSTEM_TIME AS OF
	unnest *unnestNode
	outer  bool  // the right side of a LEFT JOIN
	on     *expr // its condition
}

// unnestNode is UNNEST(array) [WITH ORDINALITY] and the names of its columns.
type unnestNode struct {
	array      *expr
	ordinality bool
	columns    []name
}

// windowNode is a window as written, in brackets or as a window function.
type windowNode struct {
	instants    bool // of a relation whose event time is a TIMESTAMP_LTZ; known once it is resolved
	span        span
	kind        model.WindowKind
	size, slide int64
	partitionBy []name
	columns     []int // of the relation, to partition by; a session in GROUP BY
	visible     bool  // window function: the window's columns are part of SELECT *
}

type exprKind uint8

const (
	nameExpr exprKind = iota
	literalExpr
	callExpr
	caseExpr
	castExpr
	memberExpr // of the row args[0], path its name
)

// expr is an expression as written. BETWEEN, simple CASE, NOT IN and the like are
// written out by the parser.
type expr struct {
	kind exprKind
	span span
	path []name // nameExpr: column, or relation and column
	// value of a literalExpr; Type is Invalid for NULL.
	value    stream.Value
	fn       string // callExpr: lower case
	fnAt     span
	operator bool // fn is the name of an operator in model/function, not as a user writes it
	args     []*expr
	star     bool // COUNT(*)
	distinct bool
	filter   *expr
	order    []orderKey // of an aggregate's values
	within   bool       // .. WITHIN GROUP
	nulls    string     // RESPECT or IGNORE NULLS: the first word
	over     *overNode  // ROW_NUMBER
	depth    int
	typ      typeNode // castExpr
	try      bool
}
