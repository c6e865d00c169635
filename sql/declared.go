package sql

import (
	"slices"

	"github.com/millrace/millrace/stream"
)

// Declared is a stream, table or view that a script declares, as SHOW and DESCRIBE and
// completion see it.
type Declared struct {
	Name string
	View bool
	Kind string // stream, table or view, as declared
	// Text is its CREATE statement as written, without ";".
	Text string
	// Columns are those that are visible. Computed are their expressions as written, "" for
	// physical columns; both empty if the declaration is not right.
	Columns  []stream.Field
	Computed []string
	// Time is the column of event time, or -1. DelayMicros is the bound of its watermark.
	Time        int
	DelayMicros int64
	// Connector and Options are as written, of streams.
	Connector string
	Options   []Option
	Reads     []string // names in FROM, of views
	Wrong     error    // what is wrong with it, or nil
}

// Option is an entry of a WITH clause as written.
type Option struct{ Name, Value string }

// Declared are all declarations, in their order. They are worked out anew with every call.
func (r *Result) Declared() []*Declared {
	var out []*Declared
	for _, d := range r.resolver.order {
		out = append(out, r.resolver.declared(d))
	}
	return out
}

// declared says what is known of a declaration.
func (r *resolver) declared(d *declaration) *Declared {
	s := d.statement
	out := &Declared{Name: s.name.text, View: s.kind == createView, Kind: s.word, Time: -1, Text: r.written(s.span)}
	if out.View {
		out.Reads = r.reads(s.query, nil)
		rel, err := newBuilder(r).view(d, s.name)
		if err != nil {
			out.Wrong = err
			return out
		}
		out.addRelation(rel)
		return out
	}
	for _, o := range s.stream.options {
		if o.key == "connector" {
			out.Connector = o.value
		} else {
			out.Options = append(out.Options, Option{o.key, o.value})
		}
	}
	src, err := r.sourceOf(d)
	if err != nil {
		out.Wrong = err
		return out
	}
	out.Columns, out.Time, out.DelayMicros = src.fields, src.time, src.source.WatermarkDelayMicros
	out.Computed = make([]string, len(src.fields))
	for i := range src.computed {
		if i < len(s.stream.columns) && s.stream.columns[i].computed != nil {
			out.Computed[i] = r.written(s.stream.columns[i].computed.span)
		}
	}
	return out
}

func (d *Declared) addRelation(rel *relation) {
	for k, i := range rel.Schema.Visible() {
		d.Columns = append(d.Columns, rel.Schema.Fields[i])
		if rel.Time == i {
			d.Time = k
		}
	}
	d.Computed = make([]string, len(d.Columns))
}

func (r *resolver) written(s span) string { return r.texts[s.script].expanded[s.from:s.to] }

// reads lists the declared names that a query reads, each once.
func (r *resolver) reads(q *query, hidden map[string]bool) []string {
	var out []string
	seen := map[string]bool{}
	add := func(names ...string) {
		for _, n := range names {
			if !seen[n] {
				seen[n], out = true, append(out, n)
			}
		}
	}
	if len(q.with) > 0 {
		outer := hidden
		hidden = map[string]bool{}
		for n := range outer {
			hidden[n] = true
		}
		for _, w := range q.with {
			add(r.reads(w.query, hidden)...)
			hidden[w.name.text] = true
		}
	}
	for _, b := range q.branches {
		if b.query != nil {
			add(r.reads(b.query, hidden)...)
			continue
		}
		for _, ref := range b.sel.from {
			add(r.readsOf(ref, hidden)...)
		}
	}
	return out
}

func (r *resolver) readsOf(ref *tableRef, hidden map[string]bool) []string {
	switch {
	case ref == nil:
		return nil
	case ref.query != nil:
		return r.reads(ref.query, hidden)
	case ref.table != nil:
		return r.readsOf(ref.table, hidden)
	case ref.file || ref.name.text == "" || hidden[ref.name.text]:
		return nil
	}
	return []string{ref.name.text}
}

// show resolves a SHOW or DESCRIBE statement.
func (r *resolver) show(s *statement) (Show, error) {
	out := Show{Kind: s.show.kind, Name: s.show.name.text}
	switch {
	case s.query != nil:
		files := len(r.result.Inferred)
		rel, err := newBuilder(r).query(s.query, nil)
		if err != nil {
			return out, err
		}
		out.Relation = &Declared{View: true, Time: -1, Text: r.written(s.query.span), Reads: r.reads(s.query, nil)}
		out.Relation.addRelation(rel)
		out.Inferred = r.result.Inferred[files:]
	case out.Kind == DescribeConnector:
		if known := r.cat.Connectors(); !slices.Contains(known, out.Name) {
			hint := suggest(out.Name, known)
			if hint == "" {
				hint = "SHOW CONNECTORS lists them"
			}
			return out, r.fail(s.show.name.span, hint, "there is no connector %q", out.Name)
		}
	case out.Kind == ShowCreate || out.Kind == Describe:
		d := r.streams[out.Name]
		if d == nil {
			return out, newBuilder(r).unknownRelation(s.show.name, "stream or view", nil)
		}
		if out.Relation = r.declared(d); out.Kind == Describe && out.Relation.Wrong != nil {
			return out, out.Relation.Wrong
		}
	}
	return out, nil
}
