package sql

import "strings"

// ShowKind is what a SHOW or DESCRIBE statement asks for.
type ShowKind uint8

// The kinds.
const (
	ShowStreams       ShowKind = iota // streams and tables
	ShowTables                        // everything with rows: streams, tables and views
	ShowViews                         //
	ShowFunctions                     //
	ShowConnectors                    //
	ShowSettings                      // all settings, or the one that is named
	ShowCreate                        // the statement that declared a name
	Describe                          // the columns of a name or of a query
	DescribeConnector                 // the options of a connector
)

// Show is a SHOW or DESCRIBE statement, checked.
type Show struct {
	Kind ShowKind
	Name string // ShowCreate, Describe, DescribeConnector: what was named, "" for a query; ShowSettings: one, or ""
	// Relation is what Name is, or the result of a DESCRIBE's query.
	Relation *Declared
	// Inferred are the declarations that stand for the files in a DESCRIBE's query.
	Inferred []string
}

// showNode is SHOW or DESCRIBE as written.
type showNode struct {
	kind ShowKind
	name name
}

var showWords = map[string]ShowKind{
	"streams": ShowStreams, "sources": ShowStreams, "sinks": ShowStreams, "tables": ShowTables, "views": ShowViews,
	"functions": ShowFunctions, "connectors": ShowConnectors, "settings": ShowSettings, "variables": ShowSettings, "all": ShowSettings,
}

// refusedShows are what other systems show.
var refusedShows = map[string]string{
	"databases": "there is one name space; SHOW TABLES shows all of it", "schemas": "there is one name space; SHOW TABLES shows all of it",
	"catalogs": "there is one name space; SHOW TABLES shows all of it", "current": "there is one name space; SHOW TABLES shows all of it",
	"topics": "streams read what their WITH names; SHOW STREAMS shows them", "partitions": "DESCRIBE shows what a stream reads",
	"queries": "a query runs until it ends or is stopped", "jobs": "a query runs until it ends or is stopped",
	"materialized": "write SHOW VIEWS", "modules": "write SHOW FUNCTIONS", "jars": "write SHOW FUNCTIONS", "types": "docs/sql.md lists the types",
}

func (p *parser) show(s *statement) {
	p.next()
	s.kind, s.show = showStatement, &showNode{}
	_ = p.acceptWords("user") || p.acceptWords("full") || p.acceptWords("extended") // Flink, MySQL, Spark
	t := p.peek()
	switch {
	case p.acceptWords("create"):
		_ = p.acceptWords("stream") || p.acceptWords("table") || p.acceptWords("view") || p.acceptWords("source") || p.acceptWords("sink")
		s.show.kind, s.show.name = ShowCreate, p.name("the name of a stream or view")
	case p.acceptWords("time", "zone"):
		s.show.kind, s.show.name = ShowSettings, name{timeZone, t.span.join(p.last())}
	case p.acceptWords("columns"):
		if !p.acceptWords("in") {
			p.expectWord("from")
		}
		s.show.kind, s.show.name = Describe, p.name("the name of a stream or view")
	case t.kind == wordToken && refusedShows[t.text] != "":
		p.fail(t.span, refusedShows[t.text], "SHOW %s is not supported", upper(t.text))
	case t.kind == wordToken || t.kind == quotedToken:
		p.next()
		kind, known := showWords[t.text]
		if s.show.kind = kind; !known {
			p.showSetting(s, t)
		}
	default:
		p.fail(t.span, "", "expected STREAMS, TABLES, VIEWS, FUNCTIONS, CONNECTORS, SETTINGS or CREATE after SHOW, found %s", t.show())
	}
	if p.isWord("like", "where", "ilike") {
		p.fail(p.peek().span, "leave it out", "SHOW has no %s", upper(p.peek().text))
	}
}

// showSetting reads PostgreSQL's SHOW name.
func (p *parser) showSetting(s *statement, t token) {
	t.text = settingName(t.text)
	if _, ok := settings[t.text]; !ok {
		known := append(keys(settings), "STREAMS", "TABLES", "VIEWS", "FUNCTIONS", "CONNECTORS", "SETTINGS", "CREATE")
		hint := suggest(t.text, known)
		if hint == "" {
			hint = "there are STREAMS, TABLES, VIEWS, FUNCTIONS, CONNECTORS, SETTINGS, CREATE name, and settings"
		}
		p.fail(t.span, hint, "SHOW %s does not exist", upper(t.text))
	}
	s.show.kind, s.show.name = ShowSettings, name{t.text, t.span}
}

func (p *parser) describe(s *statement) {
	p.next()
	s.kind, s.show = showStatement, &showNode{kind: Describe}
	switch {
	case p.isWord("select", "with") || p.isSymbol("("):
		s.query = p.query()
		return
	case p.peek().kind == stringToken: // a file
		at := p.peek().span
		s.query = &query{span: at, branches: []*branch{{sel: &selectNode{span: at, items: []item{{star: true, span: at}}, from: []*tableRef{p.relation()}}}}}
		return
	case p.isWord("function"):
		p.fail(p.peek().span, "SHOW FUNCTIONS describes all of them", "DESCRIBE FUNCTION is not supported")
	}
	if t := p.peekAt(1); p.isWord("connector") && (t.kind == wordToken || t.kind == quotedToken || t.kind == stringToken) {
		p.next()
		p.next()
		s.show.kind, s.show.name = DescribeConnector, name{strings.ToLower(t.text), t.span}
		return
	}
	for _, word := range []string{"extended", "formatted", "stream", "table", "view"} {
		if p.isWord(word) && (p.peekAt(1).kind == wordToken || p.peekAt(1).kind == quotedToken) {
			p.next()
		}
	}
	s.show.name = p.name("the name of a stream or view, or a query")
}

// drop reads DROP STREAM name, which only a session obeys.
func (p *parser) drop(s *statement) {
	p.next()
	s.kind = dropStatement
	_ = p.acceptWords("temporary") || p.acceptWords("temp")
	s.word = p.peek().text
	switch t := p.peek(); {
	case p.acceptWords("stream") || p.acceptWords("table"):
		s.dropKind = createStream
	case p.acceptWords("view"):
		s.dropKind = createView
	case t.kind == wordToken && (t.text == "source" || t.text == "sink"):
		p.fail(t.span, "write DROP STREAM", "DROP %s is not supported", upper(t.text))
	default:
		hint := suggest(t.text, []string{"STREAM", "TABLE", "VIEW"})
		if hint == "" && t.kind == wordToken {
			hint = "there are streams, tables and views"
		}
		p.fail(t.span, hint, "expected STREAM, TABLE or VIEW after DROP, found %s", t.show())
	}
	s.ifExists = p.acceptWords("if", "exists")
	s.name = p.name("the name of what is to be dropped")
	if p.isWord("cascade") {
		p.fail(p.peek().span, "drop the views that read it first", "DROP .. CASCADE is not supported")
	}
	p.acceptWords("restrict")
}

// reset reads RESET name, RESET 'name' and RESET ALL, which only a session obeys.
func (p *parser) reset(s *statement) {
	p.next()
	s.kind, s.setting = resetStatement, &settingNode{}
	if p.peek().kind == endToken || p.isSymbol(";") || p.acceptWords("all") {
		return
	}
	if at := p.peek().span; p.acceptWords("time", "zone") {
		s.setting.key, s.setting.keyAt = timeZone, at.join(p.last())
		return
	}
	s.setting.key, s.setting.keyAt = p.optionKey()
	s.setting.key = settingName(s.setting.key)
	if _, ok := settings[s.setting.key]; !ok {
		p.fail(s.setting.keyAt, settingHint(s.setting.key), "setting %q does not exist", s.setting.key)
	}
}
