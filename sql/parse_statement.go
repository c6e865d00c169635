package sql

import (
	"strings"

	"github.com/millrace/millrace/stream"
)

var statementWords = []string{"CREATE", "INSERT", "SELECT", "WITH", "SET", "EXPLAIN", "SHOW", "DESCRIBE", "DROP", "RESET"}

// refusedStatements are statements of the dialect that this version does not have.
var refusedStatements = map[string]string{
	"alter":    "change the CREATE statement; millrace sql has CREATE OR REPLACE",
	"update":   "streams are append-only; write INSERT INTO .. SELECT",
	"delete":   "streams are append-only; filter with WHERE",
	"use":      "there is one name space; use plain names",
	"values":   "read the rows from a file",
	"from":     "begin with SELECT: SELECT * FROM ..",
	"copy":     "write INSERT INTO a table with connector = 'file' .. SELECT",
	"print":    "write SELECT * FROM the stream",
	"list":     "write SHOW TABLES",
	"begin":    "statements need no transaction; leave it out",
	"commit":   "statements need no transaction; leave it out",
	"start":    "statements need no transaction; leave it out",
	"grant":    "whoever may read the files may run the script",
	"truncate": "an INSERT INTO a file replaces it",
	"load":     "functions and connectors are built in",
	"analyze":  "write EXPLAIN ANALYZE and the query",
	"call":     "write SELECT .. FROM",
	"merge":    "streams are append-only; write INSERT INTO .. SELECT",
	"pragma":   "write SHOW SETTINGS or SET name = value",
}

func (p *parser) statement() *statement {
	start := p.peek()
	s := &statement{}
	if p.acceptWords("explain") {
		s.explain = true
		s.analyze = p.acceptWords("analyze")
		if p.isWord("create", "show", "describe", "drop") {
			p.fail(p.peek().span, "write EXPLAIN and a SELECT or INSERT", "EXPLAIN shows queries")
		}
		if p.isWord("verbose") || p.isSymbol("(") && !p.isWordAt(1, "select", "with") {
			p.fail(p.peek().span, "write EXPLAIN or EXPLAIN ANALYZE followed by the query", "EXPLAIN has no other options")
		}
		p.acceptWords("plan", "for")
	}
	switch {
	case p.isWord("create") && !s.explain:
		p.create(s)
	case p.isWord("insert"):
		p.insert(s)
	case p.isWord("select", "with") || p.isSymbol("("):
		s.kind, s.query = selectStatement, p.query()
	case p.isWord("set"):
		p.setting(s)
	case p.isWord("show") && !s.explain:
		p.show(s)
	case p.isWord("describe", "desc") && !s.explain:
		p.describe(s)
	case p.isWord("drop") && !s.explain:
		p.drop(s)
	case p.isWord("reset") && !s.explain:
		p.reset(s)
	default:
		p.notAStatement()
	}
	s.span = start.span.join(p.last())
	return s
}

// statementSetMark accepts Flink's BEGIN STATEMENT SET; .. END; around INSERTs: every
// script is one job anyway.
func (p *parser) statementSetMark() bool {
	return p.acceptWords("begin", "statement", "set") || p.acceptWords("execute", "statement", "set", "begin") || p.acceptWords("end")
}

func (p *parser) notAStatement() {
	t := p.peek()
	if why, ok := refusedStatements[t.text]; ok && t.kind == wordToken {
		p.fail(t.span, why, "%s is not supported yet", upper(t.text))
		return
	}
	hint := suggest(t.text, statementWords)
	if t.text == "#" || t.text == "/" {
		hint = "a comment begins with --"
	}
	p.fail(t.span, hint, "expected a statement (CREATE, INSERT, SELECT, WITH, SET, SHOW, DESCRIBE or EXPLAIN), found %s", t.show())
}

func (p *parser) create(s *statement) {
	p.next()
	if p.acceptWords("or") {
		p.expectWord("replace")
		s.orReplace = true
	}
	_ = p.acceptWords("temporary") || p.acceptWords("temp")
	s.word = p.peek().text
	switch {
	case p.acceptWords("stream") || p.acceptWords("table"):
		s.kind = createStream
		s.ifNotExists = p.acceptWords("if", "not", "exists")
		s.name = p.name("the name of a stream")
		s.stream = p.streamBody()
	case p.acceptWords("view"):
		s.kind = createView
		s.ifNotExists = p.acceptWords("if", "not", "exists")
		s.name = p.name("the name of a view")
		if p.isSymbol("(") {
			p.fail(p.peek().span, "name the columns with AS in the SELECT", "a view takes its columns' names from its query")
		}
		p.expectWord("as")
		s.query = p.query()
	case p.isWord("function"):
		p.fail(p.peek().span, "use the built-in functions, or compute the value in a view", "CREATE FUNCTION is not supported yet")
	case p.isWord("materialized"):
		p.fail(p.peek().span, "write CREATE VIEW", "CREATE MATERIALIZED VIEW is not supported yet")
	default:
		t := p.peek()
		hint := suggest(t.text, []string{"STREAM", "TABLE", "VIEW"})
		if instead := foreignCreates[t.text]; instead != "" {
			hint = instead
		}
		p.fail(t.span, hint, "expected STREAM, TABLE or VIEW after CREATE, found %s", t.show())
	}
}

func (p *parser) insert(s *statement) {
	s.kind = insertStatement
	p.next()
	if p.isWord("overwrite") {
		p.fail(p.peek().span, "write INSERT INTO", "INSERT OVERWRITE is not supported")
	}
	p.expectWord("into")
	s.name = p.name("the name of a table")
	if p.isSymbol("(") && !p.isWordAt(1, "select", "with") && !(p.peekAt(1).kind == symbolToken && p.peekAt(1).text == "(") {
		p.next()
		for {
			s.columns = append(s.columns, p.name("the name of a column"))
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if p.isWord("values") {
		p.fail(p.peek().span, "write INSERT INTO .. SELECT .. FROM a stream", "INSERT .. VALUES is not supported yet")
	}
	s.query = p.query()
}

func (p *parser) streamBody() *streamNode {
	n := &streamNode{}
	if p.isWord("as") || p.isWord("like") {
		p.fail(p.peek().span, "declare its columns, or write CREATE VIEW .. AS SELECT", "CREATE .. %s is not supported", upper(p.peek().text))
	}
	p.expect("(")
	for p.err == nil {
		switch {
		case p.isWord("watermark") && p.isWordAt(1, "for"):
			p.watermark(n)
		case p.isWord("primary", "unique", "constraint", "foreign", "check"):
			p.fail(p.peek().span, "leave it out: streams are append-only", "keys and constraints are not supported yet")
		case p.isWord("watermark") && p.peekAt(1).kind == wordToken && p.isWordAt(2, "as"):
			p.fail(p.peekAt(1).span, "write WATERMARK FOR "+p.peekAt(1).text+" AS ..", "WATERMARK lacks FOR")
		default:
			n.columns = append(n.columns, p.columnDefinition())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.isWord("comment") {
		p.fail(p.peek().span, "leave it out", "%s is not supported in CREATE", upper(p.peek().text))
	}
	if p.isWord("partitioned") {
		p.partitioned(n)
	}
	n.optionsAt = p.last()
	if p.acceptWords("with") {
		n.optionsAt = p.last()
		p.options(n)
	}
	return n
}

// partitionedOption is the connector's option that PARTITIONED BY (a, b) stands for.
const partitionedOption = "partitioned_by"

// partitioned reads PARTITIONED BY (a, b).
func (p *parser) partitioned(n *streamNode) {
	start := p.next().span
	p.expectWord("by")
	p.expect("(")
	var columns []string
	for {
		at := p.peek().span
		column := p.name("the name of a column").text
		if strings.Contains(column, ",") {
			p.fail(at, "", "PARTITIONED BY cannot have a column with a comma in its name")
		}
		columns = append(columns, column)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	whole := start.join(p.last())
	n.options = append(n.options, optionNode{key: partitionedOption, value: strings.Join(columns, ","), keyAt: whole, valueAt: whole, quoted: true})
}

func (p *parser) columnDefinition() columnNode {
	c := columnNode{name: p.name("the name of a column")}
	if p.acceptWords("as") {
		c.computed = p.expression()
		return c
	}
	c.typ = p.typeName()
	for {
		switch {
		case p.acceptWords("not", "null"):
			c.notNull = true
		case p.acceptWords("null"):
		case p.isWord("primary", "unique", "references", "check", "default", "generated", "metadata"):
			p.fail(p.peek().span, "leave it out; compute a column with: name AS expression", "%s is not supported for a column", upper(p.peek().text))
		default:
			return c
		}
	}
}

func (p *parser) watermark(n *streamNode) {
	start := p.next().span
	p.next()
	if n.watermark != nil {
		p.fail(start, "", "a stream has one WATERMARK")
	}
	w := &watermarkNode{column: p.name("the event-time column")}
	p.expectWord("as")
	w.base = p.name("the event-time column")
	if p.accept("-") {
		at := p.peek().span
		w.delayMicros = p.intervalLiteral()
		if w.delayMicros < 0 {
			p.fail(at.join(p.last()), "", "the bound of a WATERMARK cannot be negative")
		}
	} else if !p.isSymbol(",") && !p.isSymbol(")") {
		p.fail(p.peek().span, "write WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", "a WATERMARK is the event-time column, or it minus an interval")
	}
	n.watermark = w
}

func (p *parser) options(n *streamNode) {
	p.expect("(")
	for p.err == nil {
		o := optionNode{}
		o.key, o.keyAt = p.optionKey()
		p.expect("=")
		p.optionValue(&o)
		n.options = append(n.options, o)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
}

// optionKey reads 'key', key, key.of.parts or key-of-parts.
func (p *parser) optionKey() (string, span) {
	t := p.next()
	if t.kind == stringToken || t.kind == quotedToken {
		return t.text, t.span
	}
	key, at := t.text, t.span
	if t.kind != wordToken {
		hint := ""
		if t.text == ")" {
			hint = `leave the comma before the ")" out`
		}
		p.fail(t.span, hint, "expected the name of an option, found %s", t.show())
	}
	for p.isSymbol(".") || p.isSymbol("-") {
		key += p.next().text
		part := p.next()
		if part.kind != wordToken && part.kind != numberToken {
			p.fail(part.span, "", "expected the rest of the option %q, found %s", key, part.show())
		}
		key, at = key+part.text, at.join(part.span)
	}
	return key, at
}

func (p *parser) optionValue(o *optionNode) {
	t := p.next()
	o.value, o.valueAt = t.text, t.span
	switch {
	case t.kind == stringToken:
		o.quoted = true
	case t.kind == numberToken:
	case t.kind == wordToken && (t.text == "true" || t.text == "false"):
		o.boolean = true
	case t.kind == symbolToken && t.text == "-" && p.peek().kind == numberToken:
		v := p.next()
		o.value, o.valueAt = "-"+v.text, t.span.join(v.span)
	case t.kind == wordToken:
		p.fail(t.span, "write '"+t.text+"'", "the value of the option %q must be quoted", o.key)
	case t.kind == quotedToken:
		p.fail(t.span, "write '"+t.text+"': double quotes are for names", "the value of the option %q must be a text", o.key)
	default:
		p.fail(t.span, "", "expected the value of the option %q, found %s", o.key, t.show())
	}
}

// columnTypes are the names of types, with more than one word joined by a blank.
var columnTypes = map[string]stream.Type{
	"boolean": stream.Boolean, "bool": stream.Boolean,
	"tinyint": stream.TinyInt, "smallint": stream.SmallInt, "int2": stream.SmallInt,
	"int": stream.Integer, "integer": stream.Integer, "int4": stream.Integer,
	"bigint": stream.BigInt, "int8": stream.BigInt,
	"real": stream.Real, "float4": stream.Real,
	"double": stream.Double, "double precision": stream.Double, "float": stream.Double, "float8": stream.Double,
	"decimal": stream.Decimal(defaultDigits, 0), "numeric": stream.Decimal(defaultDigits, 0), "dec": stream.Decimal(defaultDigits, 0),
	"varchar": stream.Varchar, "text": stream.Varchar, "string": stream.Varchar, "character varying": stream.Varchar,
	"bytea": stream.Bytes, "bytes": stream.Bytes, "varbinary": stream.Bytes, "binary": stream.Bytes, "json": stream.JSON,
	"timestamp": stream.Timestamp, "timestamp_ltz": stream.TimestampLTZ, "timestamptz": stream.TimestampLTZ,
	"date": stream.Date, "time": stream.TimeOfDay, "interval": stream.Interval,
}

// refusedTypes are types of the language that this version does not have, with the
// nearest that works.
var refusedTypes = map[string]string{
	"char": "VARCHAR", "character": "VARCHAR", "blob": "BYTEA", "map": "VARCHAR",
	"jsonb": "JSON", "multiset": "VARCHAR", "uuid": "VARCHAR",
}

func (p *parser) typeName() typeNode {
	t := p.next()
	if t.kind != wordToken {
		p.fail(t.span, p.habit("a type", t), "expected a type, found %s", t.show())
		return typeNode{}
	}
	if t.text == "array" || t.text == "row" {
		return p.arraySuffixes(p.nestedType(t))
	}
	text, n := t.text, typeNode{span: t.span}
	if p.isWord("precision") && text == "double" || p.isWord("varying") && text == "character" {
		text += " " + p.next().text
	}
	typ, ok := columnTypes[text]
	if !ok {
		if instead, known := refusedTypes[text]; known {
			p.fail(t.span, "use "+instead, "the type %s is not supported yet", upper(text))
		}
		hint := suggest(text, typeSuggestions)
		if instead := foreignTypes[text]; instead != "" {
			hint = "use " + instead
		}
		p.fail(t.span, hint, "type %q does not exist", text)
		return n
	}
	n.typ = typ
	p.typeArguments(&n, text)
	n.span = n.span.join(p.last())
	n = p.arraySuffixes(n)
	if p.isWord("multiset") {
		p.fail(p.peek().span, "", "the type %s %s is not supported yet", typ, upper(p.peek().text))
	}
	return n
}

var typeSuggestions = []string{"BOOLEAN", "INTEGER", "BIGINT", "REAL", "DOUBLE", "VARCHAR", "TEXT", "TIMESTAMP", "INTERVAL", "DATE", "TIME", "SMALLINT", "TINYINT", "DECIMAL", "NUMERIC", "INT", "FLOAT", "STRING", "BYTEA", "BYTES", "VARBINARY", "JSON"}

// defaultDigits is the precision of a DECIMAL without one.
const defaultDigits = 10

// decimalArguments reads (precision) or (precision, scale).
func (p *parser) decimalArguments(n *typeNode) {
	if !p.accept("(") {
		return
	}
	at, scaleAt := p.peek().span, p.peek().span
	precision, scale := p.integer("a number of digits"), int64(0)
	if p.accept(",") {
		scaleAt = p.peek().span
		scale = p.integer("a number of digits behind the point")
	}
	p.expect(")")
	switch {
	case precision < 1 || precision > stream.DecimalDigitsMax:
		p.fail(at, "use DECIMAL(38, s) at most", "a DECIMAL has 1 to %d digits", stream.DecimalDigitsMax)
	case scale < 0 || scale > precision:
		p.fail(scaleAt, "", "a DECIMAL has at most as many digits behind the point as it has digits")
	default:
		n.typ = stream.Decimal(int(precision), int(scale))
	}
}

// maxTimestampDigits is the precision of TIMESTAMP.
const maxTimestampDigits = 6

// typeArguments reads (n) and the words behind TIMESTAMP.
func (p *parser) typeArguments(n *typeNode, text string) {
	if n.typ.IsDecimal() {
		p.decimalArguments(n)
		return
	}
	if p.isSymbol("(") {
		if n.typ != stream.Varchar && plain(n.typ) != stream.Timestamp && n.typ != stream.TimeOfDay && text != "binary" && text != "varbinary" || text == "text" || text == "string" {
			p.fail(p.peek().span, "", "the type %s takes no length", strings.ToUpper(text))
		}
		p.next()
		at := p.peek().span
		digits := p.integer("a length")
		p.expect(")")
		if n.typ.IsTime() && (digits < 0 || digits > maxTimestampDigits) {
			p.fail(at, "use "+n.typ.String()+"(6)", "times have microseconds, at most %d digits", maxTimestampDigits)
		}
		n.length = n.typ.Storage() == stream.Varchar
		n.cut, n.digits = !n.length && digits < maxTimestampDigits, int(digits)
	}
	if text == "time" {
		p.acceptWords("without", "time", "zone")
	}
	if text != "timestamp" {
		return
	}
	switch {
	case p.acceptWords("without", "time", "zone"):
	case p.acceptWords("with", "time", "zone"), p.acceptWords("with", "local", "time", "zone"):
		n.typ = ltz
	}
}
