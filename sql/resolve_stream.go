package sql

import (
	"errors"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// sourceDeclaration is a CREATE STREAM, resolved as far as it needs no connector.
type sourceDeclaration struct {
	fields    []stream.Field
	computed  []*model.Expr // nil if no column is computed
	time      int
	source    model.Source
	connector string
	options   map[string]string // for the catalog
	optionAt  map[string]optionNode
	at        span
	left      []string // columns that a file in FROM has beside these, with their types
}

// sourceOf resolves columns, watermark and the options that are not the connector's.
func (r *resolver) sourceOf(d *declaration) (*sourceDeclaration, error) {
	if d.source != nil {
		return d.source, nil
	}
	n := d.statement.stream
	s := &sourceDeclaration{time: -1, at: n.optionsAt}
	if err := r.columns(n, s); err != nil {
		return nil, err
	}
	if err := r.watermark(d.statement, s); err != nil {
		return nil, err
	}
	if err := r.options(d.statement, s); err != nil {
		return nil, err
	}
	d.source = s
	return s, nil
}

// columns resolves the columns; a computed column may use those before and behind it
// that are physical and the computed ones before it, which are written out.
func (r *resolver) columns(n *streamNode, s *sourceDeclaration) error {
	seen := map[string]bool{}
	any := false
	for _, c := range n.columns {
		if seen[c.name.text] {
			return r.fail(c.name.span, "", "column %q is declared twice", c.name.text)
		}
		seen[c.name.text] = true
		s.fields = append(s.fields, stream.Field{Name: c.name.text, Type: c.typ.typ, NotNull: c.notNull})
		any = any || c.computed == nil
	}
	if !any {
		at := n.optionsAt
		return r.fail(at, "declare the columns that the input has", "a stream needs at least one column that is not computed")
	}
	table := &scopeTable{describe: "this stream"}
	for i, f := range s.fields {
		if n.columns[i].computed == nil {
			table.fields, table.at = append(table.fields, f), append(table.at, i)
		}
	}
	for i, c := range n.columns {
		if c.computed == nil {
			continue
		}
		if s.computed == nil {
			s.computed = make([]*model.Expr, len(s.fields))
		}
		x := &exprs{resolver: r, scope: &scope{tables: []*scopeTable{table}}, clause: "a computed column"}
		e, err := x.value(c.computed)
		if err != nil {
			return err
		}
		s.computed[i] = e.Rewrite(func(e *model.Expr) *model.Expr {
			if e.Kind == model.ColumnExpr && s.computed[e.Column] != nil {
				return s.computed[e.Column]
			}
			return e
		})
		s.fields[i].Type, s.fields[i].NotNull = e.Type, x.notNull(s.computed[i], s.fields)
		if depth(s.computed[i]) > model.ExprDepthMax {
			return r.fail(c.computed.span, "", "the expression is nested more than %d levels deep", model.ExprDepthMax)
		}
		table.fields, table.at = append(table.fields, s.fields[i]), append(table.at, i)
	}
	return nil
}

func (r *resolver) watermark(st *statement, s *sourceDeclaration) error {
	w := st.stream.watermark
	if w == nil {
		return nil
	}
	var names []string
	for i, f := range s.fields {
		names = append(names, f.Name)
		if f.Name == w.column.text {
			s.time = i
		}
	}
	if s.time < 0 {
		return r.fail(w.column.span, suggest(w.column.text, names), "column %q does not exist in stream %s", w.column.text, st.name.text)
	}
	if f := s.fields[s.time]; plain(f.Type) != stream.Timestamp {
		return r.fail(w.column.span, "add a computed column, such as event_time AS TO_TIMESTAMP_LTZ("+f.Name+", 3), and put the WATERMARK on it",
			"column %q is %s; event time must be a TIMESTAMP", f.Name, f.Type)
	}
	if w.base.text != w.column.text {
		return r.fail(w.base.span, "write WATERMARK FOR "+w.column.text+" AS "+w.column.text, "a WATERMARK is computed from its own column")
	}
	s.source.WatermarkDelayMicros = w.delayMicros
	return nil
}

func (r *resolver) options(st *statement, s *sourceDeclaration) error {
	s.options, s.optionAt = map[string]string{}, map[string]optionNode{}
	for _, o := range st.stream.options {
		key := strings.ToLower(o.key)
		if _, twice := s.optionAt[key]; twice {
			return r.fail(o.keyAt, "", "option %q is given twice", o.key)
		}
		s.optionAt[key] = o
		if err := r.option(key, o, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) option(key string, o optionNode, s *sourceDeclaration) (err error) {
	choice := func(names ...string) int {
		for i, n := range names {
			if strings.EqualFold(o.value, n) {
				return i
			}
		}
		hint := suggest(o.value, names)
		if hint == "" {
			hint = "write '" + strings.Join(names, "' or '") + "'"
		}
		err = r.fail(o.valueAt, hint, "option %q cannot be %q", o.key, shorten(o.value))
		return 0
	}
	switch key {
	case optionConnector:
		s.connector = o.value
	case optionLate:
		s.source.Late = model.LatePolicy(choice(lateWords...))
	case optionOnError:
		s.source.OnError = model.ErrorPolicy(choice(onErrorWords...))
	case optionJump:
		s.source.MaxJumpMicros, err = r.durationOption(o)
	case optionIdle:
		s.source.IdleTimeoutMicros, err = r.durationOption(o)
	case "allowed_lateness":
		return r.fail(o.keyAt, "raise the WATERMARK's bound, or read the late rows from the $late output", "allowed_lateness is not supported yet")
	default:
		s.options[o.key] = o.value
	}
	return err
}

func (r *resolver) durationOption(o optionNode) (int64, error) {
	v, why := parseDuration(o.value)
	if why == "" && v <= 0 {
		why = "it must be positive"
	}
	if why != "" {
		return 0, r.fail(o.valueAt, "write for example '5 seconds'", "option %q needs a duration: %s", o.key, why)
	}
	return v, nil
}

// physical returns the columns that the connector reads or writes.
func (s *sourceDeclaration) physical() []stream.Field {
	var out []stream.Field
	for i, f := range s.fields {
		if s.computed == nil || s.computed[i] == nil {
			out = append(out, f)
		}
	}
	return out
}

// connect asks the catalog about a declaration, in one direction.
func (r *resolver) connect(d *declaration, sink bool) (*sourceDeclaration, Connection, error) {
	s, err := r.sourceOf(d)
	if err != nil {
		return nil, Connection{}, err
	}
	if s.connector == "" {
		for _, key := range keys(s.optionAt) {
			if hint := suggest(key, []string{"connector"}); hint != "" {
				return nil, Connection{}, r.fail(s.optionAt[key].keyAt, hint, "%s has no connector, but an option %q", d.statement.name.text, key)
			}
		}
		return nil, Connection{}, r.fail(s.at, "add WITH (connector = 'file', path = '..', format = 'csv')", "%s has no connector", d.statement.name.text)
	}
	ask := r.cat.Source
	if sink {
		ask = r.cat.Sink
	}
	c, err := ask(s.connector, s.options, plainFields(s.physical()))
	if err != nil {
		return nil, c, r.catalogError(s, err)
	}
	for _, w := range c.Warnings {
		r.warn(w)
	}
	return s, c, nil
}

// checkConnector reports options that are wrong whether the stream is read or written. A
// path that is not there is none of them: it may be by the time it is used.
func (r *resolver) checkConnector(s *sourceDeclaration) error {
	columns := plainFields(s.physical())
	_, err := r.cat.Source(s.connector, s.options, columns)
	if err == nil {
		return nil
	}
	if _, asSink := r.cat.Sink(s.connector, s.options, columns); asSink == nil {
		return nil
	}
	var wrong *model.OptionError
	if errors.As(err, &wrong) && strings.EqualFold(wrong.Option, "path") {
		return nil
	}
	return r.catalogError(s, err)
}

// catalogError points at the option that the catalog complains about.
func (r *resolver) catalogError(s *sourceDeclaration, err error) error {
	var wrong *model.OptionError
	if !errors.As(err, &wrong) {
		return r.fail(s.optionAt["connector"].valueAt, "", "%s", err)
	}
	key := strings.ToLower(wrong.Option)
	o, ok := s.optionAt[key]
	switch {
	case key == "connector" && ok:
		return r.fail(o.valueAt, wrong.Hint, "%s", wrong.Message)
	case ok:
		return r.fail(o.keyAt, wrong.Hint, "%s", wrong.Message)
	}
	return r.fail(s.at, wrong.Hint, "%s", wrong.Message)
}

// isBounded asks the catalog whether a source ends.
func (r *resolver) isBounded(d *declaration) (bool, error) {
	if d.bounded == nil {
		_, c, err := r.connect(d, false)
		if err != nil {
			return false, err
		}
		d.bounded = &c.Bounded
	}
	return *d.bounded, nil
}

// source returns the operator that reads a stream, one for each model and side.
func (b *builder) source(d *declaration) (*relation, error) {
	key := memoKey{d, b.tableSide}
	if rel := b.memo[key]; rel != nil {
		return rel, nil
	}
	s, c, err := b.connect(d, false)
	if err != nil {
		return nil, err
	}
	src := s.source
	src.Connector, src.Options, src.Computed = c.Connector, c.Options, s.computed
	op := &model.Operator{
		Kind: model.SourceOp, Name: b.unique(d.statement.name.text), Source: &src,
		Relation: model.Relation{Schema: stream.NewSchema(s.fields...), Time: s.time, Bounded: c.Bounded},
	}
	outer, label := b.owner, b.label
	b.owner, b.label = "", d.statement.name.text+"."
	rel := b.derive(op)
	b.owner, b.label = outer, label
	rel.static, rel.timed = c.Bounded && s.time < 0, s.time >= 0
	b.memo[key] = rel
	return rel, nil
}

// insert resolves INSERT INTO: the query's columns are matched with the table's by
// position, or by the list of names.
func (b *builder) insert(s *statement) error {
	d := b.streams[s.name.text]
	if d == nil {
		return b.unknownRelation(s.name, "table", nil)
	}
	if d.statement.kind == createView {
		return b.fail(s.name.span, "declare a table with CREATE TABLE .. WITH (connector = ..)", "%q is a view and cannot be written", s.name.text)
	}
	decl, c, err := b.connect(d, true)
	if err != nil {
		return err
	}
	b.owner, b.label = sinkOwner(s.name.text), s.name.text+"."
	rel, err := b.query(s.query, nil)
	if err != nil {
		return err
	}
	rel, err = b.fit(rel, s, decl.physical())
	if err != nil {
		return err
	}
	b.derive(&model.Operator{
		Kind: model.SinkOp, Name: b.unique(s.name.text), Relation: rel.Relation,
		Sink: &model.Sink{Connector: c.Connector, Options: c.Options, OnError: decl.source.OnError},
	}, rel)
	return nil
}

func sinkOwner(table string) string { return "insert into " + table }

// fit projects a query's columns to those of the table it is inserted into.
func (b *builder) fit(rel *relation, s *statement, columns []stream.Field) (*relation, error) {
	targets := make([]int, 0, len(columns)) // of the query's columns
	if s.columns == nil {
		for i := range columns {
			targets = append(targets, i)
		}
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	taken := map[string]bool{}
	for _, n := range s.columns {
		i := indexOf(names, n.text)
		if i < 0 {
			return nil, b.fail(n.span, suggest(n.text, names), "column %q does not exist in table %s, or is computed", n.text, s.name.text)
		}
		if taken[n.text] {
			return nil, b.fail(n.span, "", "column %q is named twice", n.text)
		}
		taken[n.text] = true
		targets = append(targets, i)
	}
	visible := rel.Schema.Visible()
	if len(visible) != len(targets) {
		hint := ""
		if s.columns == nil && len(visible) < len(targets) {
			hint = "name those that it gives: INSERT INTO " + s.name.text + " (" + strings.Join(names[:len(visible)], ", ") + ") SELECT .."
		}
		return nil, b.fail(s.name.span, hint, "the query has %d columns but %d are inserted into table %s", len(visible), len(targets), s.name.text)
	}
	out := make([]output, len(columns))
	for i, c := range columns {
		out[i] = output{name: c.Name, expr: model.Lit(stream.NullOf(c.Type))}
	}
	for i, column := range visible {
		f, want := rel.Schema.Fields[column], columns[targets[i]]
		e, ok := widen(model.Col(column, f.Type), want.Type)
		if !ok {
			return nil, b.fail(s.name.span, "write CAST("+f.Name+" AS "+want.Type.String()+") in the query",
				"column %d of the query, %q, is %s but column %q of table %s is %s", i+1, f.Name, f.Type, want.Name, s.name.text, want.Type)
		}
		out[targets[i]].expr = e
	}
	for i, c := range columns {
		if c.NotNull && out[i].expr.Kind == model.LiteralExpr && out[i].expr.Literal.Null {
			return nil, b.fail(s.name.span, "insert a value for it", "column %q of table %s is NOT NULL", c.Name, s.name.text)
		}
	}
	if sameOutput(rel, out) {
		return rel, nil
	}
	return b.project(rel, out), nil
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// sameOutput: the projection would only repeat the relation's visible columns.
func sameOutput(rel *relation, out []output) bool {
	visible := rel.Schema.Visible()
	if len(visible) != len(out) {
		return false
	}
	for i, o := range out {
		if o.expr.Kind != model.ColumnExpr || o.expr.Column != visible[i] || o.name != rel.Schema.Fields[visible[i]].Name {
			return false
		}
	}
	return true
}
