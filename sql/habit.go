package sql

import "strings"

// This file knows what people write who come from other systems, and the form that works
// here. It only adds hints to errors that the parser has found.

// habit returns a hint for the token that the parser did not expect, or "".
func (p *parser) habit(wanted string, t token) string {
	before := token{}
	if p.at > 0 {
		before = p.tokens[p.at-1]
	}
	switch wanted {
	case `";" or the end of the statement`:
		return p.habitBehind(before, t)
	case "an expression":
		return habitInExpression(before, t)
	case `")"`, `"("`:
		return p.habitOfParentheses(wanted, before, t)
	}
	switch {
	case wanted == "INTERVAL" && t.kind == numberToken:
		return "write INTERVAL '" + t.text + "' SECOND"
	case wanted == "END" && before.text == "if":
		return "further conditions are WHEN .. THEN .., before ELSE"
	case wanted == "INTO":
		return "write INSERT INTO"
	case wanted == `"="` && p.statementWord() == "set" && t.kind == endToken:
		return "write SET " + before.text + " = value"
	case t.kind == symbolToken && t.text == ")" && before.text == ",":
		return `leave the comma before the ")" out`
	case wanted == `"="` && (t.text == ":" || t.text == "=>" || t.text == "=="):
		return "write " + before.text + " = .."
	case wanted == `"="` && p.statementWord() == "set":
		return "write SET " + before.text + " = " + t.text
	}
	return habitWanted[wanted+" "+t.text]
}

// habitWanted are hints by what was expected and what was found.
var habitWanted = map[string]string{
	"WHEN then":                    "write CASE WHEN condition THEN value .. END, or CASE x WHEN value THEN value .. END",
	"AND ,":                        "write BETWEEN low AND high",
	"AS )":                         "write CAST(x AS BIGINT)",
	"AS ,":                         "write CAST(x AS BIGINT)",
	"AS select":                    "write CREATE VIEW name AS SELECT ..",
	"END from":                     "a CASE ends with END",
	"a type ,":                     "write a name and its type, or name AS expression",
	"a type )":                     "write a name and its type",
	"INTO select":                  "write INSERT INTO table SELECT ..",
	"SELECT ":                      "a SELECT follows the WITH",
	`"]" `:                         "close the window with ]",
	"ON and the join's condition ": "write JOIN b ON a.x = b.x",
}

// foreignFunctions are what other systems call a function, or how to do without it.
var foreignFunctions = map[string]string{
	"strftime": "use DATE_FORMAT or TO_CHAR", "strptime": "use TO_TIMESTAMP", "from_unixtime": "use TO_TIMESTAMP_LTZ(x, 0)", "to_unixtime": "write EXTRACT(EPOCH FROM ts)", "epoch": "write EXTRACT(EPOCH FROM ts)",
	"getdate": "use the stream's event-time column", "sysdate": "use the stream's event-time column", "rowtime": "use the stream's event-time column",
	"len": "use CHAR_LENGTH", "instr": "use POSITION(needle IN text)", "charindex": "use POSITION(needle IN text)", "strpos": "use POSITION(needle IN text)", "locate": "use POSITION(needle IN text)",
	"substring_index": "use SPLIT_PART", "split": "use SPLIT_PART", "isnull": "write x IS NULL, or COALESCE(x, y)", "nvl2": "write CASE WHEN x IS NULL THEN .. ELSE .. END", "iif": "use IF",
	"sumif": "write SUM(x) FILTER (WHERE ..)", "sum_if": "write SUM(x) FILTER (WHERE ..)", "uniq": "write COUNT(DISTINCT x)", "mean": "use AVG",
	"tofloat64": "write CAST(x AS DOUBLE)", "toint64": "write CAST(x AS BIGINT)", "to_number": "write CAST(x AS DOUBLE)", "convert": "write CAST(x AS ..)", "safe_cast": "use TRY_CAST", "tostring": "write CAST(x AS VARCHAR)", "str": "write CAST(x AS VARCHAR)",
	"date_bin": "use a window: FROM s [RANGE 5 MINUTES SLIDE 5 MINUTES]", "time_bucket": "use a window: FROM s [RANGE 5 MINUTES SLIDE 5 MINUTES]", "window": "use a window: FROM s [RANGE 5 MINUTES SLIDE 5 MINUTES]", "tumblestart": "use window_start",
	"windowstart": "use window_start", "windowend": "use window_end", "latest_by_offset": "use LAST_VALUE", "earliest_by_offset": "use FIRST_VALUE",
}

// clauses are the words that go on behind an expression.
var clauses = []string{"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "JOIN"}

// habitsBehind are hints for words where a statement could have ended.
var habitsBehind = map[string]string{
	"emit": "leave EMIT out: a SELECT goes on as long as its stream, and shows windows when they are complete", "changes": "leave EMIT CHANGES out: a SELECT goes on as long as its stream",
	"from": "FROM stands before WHERE, GROUP BY and HAVING", "where": "WHERE stands before GROUP BY and HAVING",
	"select": `end the statement before with ";"`, "insert": `end the statement before with ";"`, "create": `end the statement before with ";"`,
	"not": "write IS NOT NULL", "isnull": "write IS NULL", "notnull": "write IS NOT NULL",
	"into": "write INSERT INTO table SELECT ..", "for": "leave it out: nothing is locked",
	"using": "write WITH (connector = 'file', path = '..', format = 'csv')", "stored": "write WITH (connector = 'file', path = '..', format = '..')",
	"location": "write WITH (connector = 'file', path = '..')", "options": "write WITH (connector = 'file', path = '..')", "tblproperties": "write WITH (..)",
	"watermark": "WATERMARK stands within the parentheses, behind the columns", "engine": "write WITH (connector = ..)",
	")": "there is no ( that it closes", "else": "ELSE belongs to CASE WHEN .. THEN .. ELSE .. END", "primary": "keys stand within the parentheses",
	"[": "a window stands behind a stream in FROM: FROM s [RANGE 60 SECONDS]", "sample": "leave it out", "settings": "write SET name = value before",
}

// habitsBefore are hints for the word before one where a statement could have ended: it was
// taken for an alias.
var habitsBefore = map[string]string{
	"emit": habitsBehind["emit"], "top": "write LIMIT at the end of the SELECT", "div": "write /: the division of integers truncates", "mod": "write % or MOD(x, y)",
	"partition": "write GROUP BY, or FROM s [PARTITION BY k ROWS n]", "qualify": "filter in a SELECT around this one", "cluster": "leave it out", "distribute": "leave it out",
	"rlike": "write x ~ 'pattern'", "regexp": "write x ~ 'pattern'", "glob": "write LIKE, with % and _", "xor": "write <>", "sort": "write ORDER BY",
	"left": "write JOIN .. ON", "lateral": "LATERAL is not supported", "sample": "leave it out",
}

// habitBehind explains what stands where a statement could have ended.
func (p *parser) habitBehind(before, t token) string {
	switch {
	case before.kind == wordToken && habitsBefore[before.text] != "":
		return habitsBefore[before.text]
	case before.kind == wordToken && suggestClause(before.text) != "":
		return suggestClause(before.text)
	case t.kind == wordToken && suggestClause(t.text) != "":
		return suggestClause(t.text)
	case t.text == "," && t.kind == symbolToken && p.statementHas("limit"):
		return "write LIMIT 10 OFFSET 5"
	case t.kind == symbolToken && t.text == "=":
		return "a condition stands in WHERE"
	case t.kind == wordToken && t.text == "from" && p.statementHas("from"):
		return "write JOIN .. ON for a second stream"
	case habitsBehind[t.text] != "" && t.kind != stringToken && t.kind != quotedToken:
		return habitsBehind[t.text]
	case t.kind == wordToken && p.statementWord() == "select" && !p.statementHas("from"):
		return "write a comma between columns"
	case t.kind == stringToken:
		return "write a comma between values, || to join texts, AS \"name\" to name a column"
	}
	return ""
}

// suggestClause is suggest for words that are nearly a clause's, but not quite.
func suggestClause(word string) string {
	if len(word) < 4 {
		return ""
	}
	hint := suggest(word, clauses)
	if strings.Contains(hint, `"`+upper(word)+`"`) {
		return ""
	}
	return hint
}

// statementStart is where the statement begins that is being read.
func (p *parser) statementStart() int {
	at := p.at
	for at > 0 && !(p.tokens[at-1].kind == symbolToken && p.tokens[at-1].text == ";") {
		at--
	}
	return at
}

func (p *parser) statementWord() string { return p.tokens[p.statementStart()].text }

// statementHas reports whether a word stands between the statement's begin and here.
func (p *parser) statementHas(word string) bool {
	for _, t := range p.tokens[p.statementStart():p.at] {
		if t.kind == wordToken && t.text == word {
			return true
		}
	}
	return false
}

func habitInExpression(before, t token) string {
	switch {
	case t.kind == wordToken && t.text == "from" && before.text == ",":
		return "leave the comma before FROM out"
	case t.kind == wordToken && t.text == "from" && before.text == "select":
		return "name columns, or write SELECT *"
	case t.text == "=" && before.text == "=":
		return "write = to compare"
	case t.text == "=" && (before.text == "<" || before.text == ">"):
		return "write <= or >= without a blank"
	case t.text == "&" && before.text == "&":
		return "write AND"
	case t.text == "|" && before.text == "|":
		return "write OR, and || to join texts"
	case t.text == "[":
		return `names are quoted as "name"`
	case t.kind == wordToken && t.text == "window":
		return "write TUMBLE(ts, INTERVAL '5' SECOND) or HOP(..)"
	case t.kind == wordToken && t.text == "end" && before.text != "else" && before.text != "then", t.kind == wordToken && (t.text == "order" || t.text == "values"):
		return `quote it to use it as a name: "` + t.text + `"`
	case t.kind == wordToken && (t.text == "where" || t.text == "group" || t.text == "order" || t.text == "having") && before.text == ",":
		return "leave the comma before it out"
	case t.kind == endToken && before.text == ";":
		return ""
	}
	return ""
}

func (p *parser) habitOfParentheses(wanted string, before, t token) string {
	first := p.statementWord()
	switch {
	case wanted == `"("` && before.text == "in":
		return "write IN (1, 2)"
	case wanted == `"("` && before.text == "with" && first == "create":
		if p.isWord("as") {
			return "write CREATE VIEW .. AS SELECT"
		}
		return "write WITH (connector = 'file', path = '..')"
	case wanted == `"("` && t.text == "with" && first == "create":
		return "declare the columns: CREATE STREAM name (column TYPE, ..) WITH (..)"
	case wanted == `"("` && before.text == "as" && t.text == "select":
		return "write WITH name AS (SELECT ..) SELECT .."
	case wanted == `")"` && first == "create" && t.kind == wordToken:
		return p.habitInCreate(t)
	case wanted == `")"` && t.kind == wordToken && (t.text == "from" || t.text == "where"):
		return "close the parenthesis before it"
	case wanted == `")"` && (t.kind == wordToken || t.kind == numberToken):
		return "write a comma between arguments"
	}
	return ""
}

// habitInCreate explains a word where a column or an option of a CREATE could have ended.
func (p *parser) habitInCreate(t token) string {
	switch {
	case t.text == "key" || t.text == "auto_increment" || t.text == "comment" || t.text == "collate" || t.text == "encode" || t.text == "unsigned" || t.text == "codec":
		return "leave it out; columns have a name, a type and NOT NULL"
	case p.statementHas("with"):
		return "write a comma between options"
	}
	return "write a comma between columns"
}

// foreignCharacters explains characters that have no meaning here.
var foreignCharacters = map[rune]string{
	'‘': "write ' around texts", '’': "write ' around texts", '“': `write ' around texts, " around names`, '”': `write ' around texts, " around names`, '„': "write ' around texts", '´': "write ' around texts",
	'!': "write NOT, and <> for not equal", '$': "a variable is written ${name}, and given with --set name=value", '?': "a variable is written ${name}, and given with --set name=value",
	':': "write column TYPE, option = value, x::TYPE; a variable is written ${name}", '@': "a variable is written ${name}, and given with --set name=value",
	'^': "write POWER(x, y)", '#': "a comment begins with --", '\\': "a ' inside a text is written ''", '{': "a variable is written ${name}", '\u00a0': "a blank is an ordinary blank here",
	'×': "write *", '÷': "write /", '≤': "write <=", '≥': "write >=", '≠': "write <>", '–': "write -", '—': "a comment begins with --",
}

// foreignTypes are what other systems call a type.
var foreignTypes = map[string]string{
	"number": "DOUBLE or BIGINT", "serial": "BIGINT", "bigserial": "BIGINT", "long": "BIGINT", "int64": "BIGINT", "uint64": "BIGINT", "uint32": "BIGINT", "int32": "INTEGER", "uint16": "INTEGER",
	"int16": "SMALLINT", "int2": "SMALLINT", "byte": "TINYINT", "short": "SMALLINT", "mediumint": "INTEGER", "hugeint": "BIGINT", "float32": "REAL", "float64": "DOUBLE", "money": "DOUBLE",
	"datetime": "TIMESTAMP", "datetime64": "TIMESTAMP", "timestamp_ntz": "TIMESTAMP", "timestamp_s": "TIMESTAMP", "timestamp_ms": "TIMESTAMP", "nvarchar": "VARCHAR", "varchar2": "VARCHAR", "clob": "VARCHAR", "longtext": "VARCHAR",
	"str": "VARCHAR", "bit": "BOOLEAN", "blob": "VARCHAR", "lowcardinality": "VARCHAR", "enum": "VARCHAR", "struct": "one column for each field", "variant": "VARCHAR", "object": "VARCHAR",
}

// foreignCreates are what CREATE makes in other systems.
var foreignCreates = map[string]string{
	"source": "write CREATE STREAM", "sink": "write CREATE TABLE .. WITH (connector = ..) and INSERT INTO it", "external": "write CREATE TABLE .. WITH (connector = 'file', path = '..')",
	"database": "there is one name space", "schema": "there is one name space", "catalog": "there is one name space", "index": "leave it out: streams are read as they come",
	"type": "types are built in", "role": "there are no users", "user": "there are no users", "unlogged": "write CREATE TABLE", "global": "write CREATE TABLE", "foreign": "write CREATE TABLE .. WITH (connector = ..)",
	"connection": "connections are options of streams", "secret": "give secrets as variables: --set name=value", "connector": "connectors are options of streams", "macro": "write a view", "sequence": "datagen makes sequences", "trigger": "write INSERT INTO .. SELECT", "pipe": "write INSERT INTO .. SELECT",
}
