package sql

import (
	"slices"
	"sort"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// env is what WITH declares around a query.
type env struct {
	parent *env
	tables map[string]*commonTable
}

// commonTable is a WITH query. It is built at first use, in the scope it stands in.
type commonTable struct {
	node     *cte
	env      *env
	used     bool
	building bool
	static   *bool // isStatic's answer
}

func (e *env) find(name string) *commonTable {
	for ; e != nil; e = e.parent {
		if t := e.tables[name]; t != nil {
			return t
		}
	}
	return nil
}

// leaf is one relation of FROM.
type leaf struct {
	ref      *tableRef
	rel      *relation   // without the window written on it
	window   *windowNode // written on it
	fields   []stream.Field
	alias    string
	describe string
	offset   int         // of its columns, when those of all leaves are numbered from left to right
	lookup   bool        // the table of a lookup join
	array    *model.Expr // of an UNNEST, over the columns of the leaves before
	outer    bool        // the right side of a LEFT JOIN
	left     []string    // of a file: columns that are left out
}

func (l *leaf) windowed() bool {
	return l.window != nil && !l.window.kind.Instant() || l.window == nil && l.rel.Windowed()
}

func (l *leaf) instant() bool { return l.window != nil && l.window.kind.Instant() }

// shape is the kind, size and slide of the leaf's window.
func (l *leaf) shape() (kind model.WindowKind, size, slide int64) {
	switch {
	case l.window != nil:
		return l.window.kind, l.window.size, l.window.slide
	case l.rel.Window != nil:
		return l.rel.Window.Kind, l.rel.Window.Size, l.rel.Window.Slide
	}
	return model.NoWindow, 0, 0
}

// fromResult is FROM and WHERE, resolved.
type fromResult struct {
	rel    *relation
	scope  *scope
	where  []*model.Expr // conjuncts still to be applied, over rel's columns
	leaves []*leaf
	keyed  map[int]bool // columns, numbered over all leaves, that are join keys
}

// from resolves the relations of FROM, joined, and the conditions on them.
func (b *builder) from(s *selectNode, e *env) (*fromResult, error) {
	if len(s.from) == 0 {
		return nil, b.fail(s.span, "add FROM and a stream", "a SELECT without FROM has no rows")
	}
	f := &fromResult{scope: &scope{sameStart: true, swapped: s.swapped, later: map[string]bool{}}, keyed: map[int]bool{}}
	for _, i := range s.items {
		if i.alias != nil {
			f.scope.later[i.alias.text] = true
		}
	}
	for i, ref := range s.from {
		if ref.unnest != nil {
			l, err := f.unnest(b, ref)
			if err == nil {
				err = f.addLeaf(b, l)
			}
			if err != nil {
				return nil, err
			}
			continue
		}
		lookup := false
		if i > 0 {
			static, err := b.isStatic(ref, e)
			if err != nil {
				return nil, err
			}
			lookup = static
		}
		outer := b.tableSide
		b.tableSide = outer || lookup
		l, err := b.leaf(ref, e)
		b.tableSide = outer
		if err != nil {
			return nil, err
		}
		l.lookup, l.outer = lookup, ref.outer
		if err := f.addLeaf(b, l); err != nil {
			return nil, err
		}
	}
	conditions, err := f.conditions(b, s)
	if err != nil {
		return nil, err
	}
	if len(f.leaves) > 1 {
		return f, newJoiner(b, f, conditions).join()
	}
	l := f.leaves[0]
	f.rel = l.rel
	for _, c := range conditions {
		f.where = append(f.where, c.expr)
	}
	if l.window != nil {
		f.rel, err = b.window(l.rel, l.window, l.describe)
	}
	return f, err
}

func (f *fromResult) addLeaf(b *builder, l *leaf) error {
	if n := len(f.leaves); n > 0 {
		last := f.leaves[n-1]
		l.offset = last.offset + len(last.fields)
		_, size, _ := f.leaves[0].shape()
		if _, other, _ := l.shape(); l.windowed() && other != size {
			f.scope.sameStart = false
		}
	}
	for _, o := range f.leaves {
		if o.alias == l.alias && l.alias != "" {
			return b.fail(l.ref.span, "give one of them an alias: "+l.alias+" AS other", "relation %q is there twice", l.alias)
		}
	}
	t := &scopeTable{alias: l.alias, describe: l.describe, fields: l.fields, fresh: l.window != nil, window: l.window != nil && l.window.visible, instant: l.instant(), left: l.left}
	for i := range l.fields {
		t.at = append(t.at, l.offset+i)
	}
	f.leaves = append(f.leaves, l)
	f.scope.tables = append(f.scope.tables, t)
	return nil
}

// condition is a conjunct over the columns of all leaves.
type condition struct {
	expr *model.Expr
	// of is the number of the leaf whose LEFT JOIN it decides about; 0: it is of WHERE or of
	// inner joins, and filters rows wherever it stands.
	of int
}

// conditions are the conjuncts of ON and WHERE.
func (f *fromResult) conditions(b *builder, s *selectNode) (out []condition, err error) {
	add := func(e *expr, clause string, sc *scope, of int) {
		if e == nil || err != nil {
			return
		}
		x := &exprs{resolver: b.resolver, scope: sc, clause: clause}
		var all []*model.Expr
		all, err = x.conjuncts(e, nil)
		for _, c := range all {
			out = append(out, condition{c, of})
		}
	}
	for _, on := range s.on {
		add(on, "ON", f.scope, 0)
	}
	for i, l := range f.leaves {
		if l.array != nil {
			continue // ON TRUE
		}
		known := *f.scope // without what is joined later
		known.tables = known.tables[:i+1]
		add(l.ref.on, "ON", &known, i)
	}
	add(s.where, "WHERE", f.scope, 0)
	return out, err
}

// leaf resolves one relation of FROM.
func (b *builder) leaf(ref *tableRef, e *env) (*leaf, error) {
	l := &leaf{ref: ref, window: ref.window}
	inner := ref
	if ref.table != nil {
		inner = ref.table
	}
	var err error
	switch {
	case inner.query != nil:
		l.describe = "the sub-query"
		l.rel, err = b.query(inner.query, e)
	case inner.file:
		err = b.fileLeaf(l, inner.name)
	default:
		l.alias = inner.name.text
		l.rel, l.describe, err = b.named(inner.name, e)
	}
	if err != nil {
		return nil, err
	}
	if ref.alias != nil {
		l.alias = ref.alias.text
		if inner.query != nil {
			l.describe = "sub-query " + l.alias
		}
	}
	if ref.time != nil {
		if err := b.checkTimeColumn(&l.rel.Relation, *ref.time, l.describe); err != nil {
			return nil, err
		}
	}
	if l.window != nil {
		if err := b.checkWindow(l.rel, l.window, l.describe); err != nil {
			return nil, err
		}
	}
	l.fields = withWindow(l.rel.Schema.Fields, l.window)
	return l, nil
}

// named resolves a name in FROM: a WITH query, a view, a stream, or an output of one.
func (b *builder) named(n name, e *env) (rel *relation, describe string, err error) {
	if t := e.find(n.text); t != nil {
		rel, err = b.common(t, n)
		return rel, "query " + n.text, err
	}
	if d := b.streams[n.text]; d != nil {
		if d.statement.kind == createView {
			rel, err = b.view(d, n)
			return rel, "view " + n.text, err
		}
		rel, err = b.source(d)
		return rel, "stream " + n.text, err
	}
	if base, port, ok := strings.Cut(n.text, "$"); ok {
		rel, err = b.port(n, base, port)
		return rel, "stream " + n.text, err
	}
	return nil, "", b.unknownRelation(n, "stream", e)
}

// fileEndings are what the names of files end in that can be asked about.
var fileEndings = []string{"csv", "tsv", "json", "ndjson", "jsonl", "parquet", "arrow", "arrows", "feather", "avro", "gz", "zst"}

func (b *builder) unknownRelation(n name, what string, e *env) error {
	candidates := keys(b.streams)
	for ; e != nil; e = e.parent {
		candidates = append(candidates, keys(e.tables)...)
	}
	hint := suggest(n.text, candidates)
	if dot := strings.LastIndexByte(n.text, '.'); dot >= 0 && slices.Contains(fileEndings, strings.ToLower(n.text[dot+1:])) {
		hint = "a file is named in single quotes: '" + n.text + "'"
	}
	if hint == "" {
		hint = "declare it with CREATE STREAM"
		if len(candidates) > 0 && len(candidates) <= 8 {
			sort.Strings(candidates)
			hint = "there is " + strings.Join(candidates, ", ")
		}
	}
	return b.fail(n.span, hint, "%s %q does not exist", what, n.text)
}

// common resolves a WITH query once for each side.
func (b *builder) common(t *commonTable, n name) (*relation, error) {
	t.used = true
	key := memoKey{t, b.tableSide}
	if rel := b.memo[key]; rel != nil {
		return rel, nil
	}
	if t.building {
		return nil, b.fail(n.span, "recursive queries are not supported yet", "query %q uses itself", n.text)
	}
	t.building = true
	defer func() { t.building = false }()
	rel, err := b.query(t.node.query, t.env)
	if err != nil {
		return nil, err
	}
	b.rename(rel, t.node.name.text)
	b.memo[key] = rel
	return rel, nil
}

// port resolves stream$late, stream$arrival, stream$errors, view$errors, sink$errors.
func (b *builder) port(n name, base, port string) (*relation, error) {
	d := b.streams[base]
	if d == nil {
		return nil, b.unknownRelation(name{base, n.span}, "stream", nil)
	}
	view := d.statement.kind == createView
	switch {
	case port == "errors" && view:
		if _, err := b.view(d, n); err != nil {
			return nil, err
		}
		return b.errorsOf(base, n)
	case port == "errors" && len(b.inserts[base]) > 0:
		for _, s := range b.inserts[base] {
			if err := b.output(s); err != nil {
				return nil, err
			}
		}
		return b.errorsOf(sinkOwner(base), n)
	case !view && (port == "errors" || port == "late" || port == "arrival"):
		rel, err := b.source(d)
		if err != nil {
			return nil, err
		}
		if port == "late" && rel.Time < 0 {
			return nil, b.fail(n.span, "add a WATERMARK to its CREATE STREAM", "stream %q has no event time, so no row of it is late", base)
		}
		if port == "late" && d.source.source.Late == model.LateDrop {
			return nil, b.fail(n.span, "leave late = 'drop' out of its CREATE STREAM", "stream %q drops its late rows", base)
		}
		return b.edge(model.Edge{Op: rel.edge.Op, Port: model.Port(port)}), nil
	case view && (port == "late" || port == "arrival"):
		return nil, b.fail(n.span, "only a stream has it; read the $"+port+" of the view's stream", "view %q has no output $%s", base, port)
	}
	return nil, b.fail(n.span, suggest(port, []string{"late", "errors", "arrival"}), "%q has no output %q; the outputs are $late, $errors and $arrival", base, "$"+port)
}

func (b *builder) edge(e model.Edge) *relation {
	return &relation{Relation: b.model.EdgeRelation(e), edge: e}
}

// errorsOf is the union of the error outputs of all operators made for an owner.
func (b *builder) errorsOf(owner string, n name) (*relation, error) {
	var inputs []*relation
	bounded := true
	for _, op := range b.model.Ops {
		if b.owners[op.ID] == owner && op.Kind != model.SinkOp && b.erased(op).Properties().MayErr {
			r := b.edge(model.Edge{Op: op.ID, Port: model.Errors})
			bounded = bounded && r.Bounded
			inputs = append(inputs, r)
		}
	}
	switch len(inputs) {
	case 0:
		return nil, b.fail(n.span, "leave this query out", "nothing in %q can make an error row", strings.TrimSuffix(n.text, "$errors"))
	case 1:
		return inputs[0], nil
	}
	return b.derive(&model.Operator{
		Kind:     model.UnionOp,
		Relation: model.Relation{Schema: model.ErrorSchema, Time: -1, Bounded: bounded},
	}, inputs...), nil
}

// isStatic tells, before anything is built, whether a relation can only be the table of
// a lookup join: bounded, without event time and windows.
func (b *builder) isStatic(ref *tableRef, e *env) (bool, error) {
	switch {
	case ref.unnest != nil:
		return true, nil // as the relation before it
	case ref.window != nil || ref.table != nil:
		return false, nil
	case ref.query != nil:
		return b.isStaticQuery(ref.query, e)
	}
	if ref.file {
		d, err := b.file(ref.name)
		if err != nil {
			return false, err
		}
		return b.isBounded(d)
	}
	if t := e.find(ref.name.text); t != nil {
		return b.isStaticNamed(&t.building, &t.static, t.node.query, t.env)
	}
	d := b.streams[ref.name.text]
	switch {
	case d == nil:
		return false, nil // an error, reported where it is used
	case d.statement.kind == createView:
		return b.isStaticNamed(&d.building, &d.static, d.statement.query, nil)
	case d.statement.stream.watermark != nil:
		return false, nil
	}
	return b.isBounded(d)
}

// isStaticNamed answers once for each view or WITH query.
func (b *builder) isStaticNamed(building *bool, answer **bool, q *query, e *env) (bool, error) {
	if *answer != nil {
		return **answer, nil
	}
	if *building {
		return false, nil // it uses itself, an error that is reported where it does
	}
	*building = true
	defer func() { *building = false }()
	static, err := b.isStaticQuery(q, e)
	if err == nil {
		*answer = &static
	}
	return static, err
}

func (b *builder) isStaticQuery(q *query, e *env) (bool, error) {
	e = q.scope(e)
	for _, branch := range q.branches {
		var static bool
		var err error
		if branch.query != nil {
			static, err = b.isStaticQuery(branch.query, e)
		} else {
			static = len(branch.sel.from) > 0
			for _, ref := range branch.sel.from {
				if static && err == nil {
					static, err = b.isStatic(ref, e)
				}
			}
		}
		if !static || err != nil {
			return false, err
		}
	}
	return true, nil
}

// scope returns the names visible in a query's branches: those around it and its WITH.
// Each WITH query sees those before it.
func (q *query) scope(e *env) *env {
	for _, c := range q.with {
		e = &env{parent: e, tables: map[string]*commonTable{c.name.text: {node: c, env: e}}}
	}
	return e
}
