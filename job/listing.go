package job

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/sql"
	"github.com/millrace/millrace/stream"
)

// Listing is the result of a SHOW or DESCRIBE statement: a few rows of text.
type Listing struct {
	Name   string // as results have: show_streams, describe_cars
	Schema *stream.Schema
	Rows   [][]stream.Value
	// Text is what a table shows in place of the rows, whole lines; Notes are lines that it
	// shows below them.
	Text  string
	Notes []string
}

// newListing makes an empty listing with columns of text.
func newListing(name string, columns ...string) Listing {
	var fields []stream.Field
	for _, c := range columns {
		fields = append(fields, stream.Field{Name: c, Type: stream.Varchar})
	}
	return Listing{Name: name, Schema: stream.NewSchema(fields...)}
}

// add appends a row; empty texts are NULL.
func (l *Listing) add(texts ...string) {
	row := make([]stream.Value, len(texts))
	for i, t := range texts {
		if row[i] = stream.Text(t); t == "" {
			row[i] = stream.NullOf(stream.Varchar)
		}
	}
	l.Rows = append(l.Rows, row)
}

// listings are the results of a script's SHOW and DESCRIBE statements.
func listings(res *sql.Result, o Options) []Listing {
	var out []Listing
	for _, s := range res.Shows {
		switch s.Kind {
		case sql.ShowStreams:
			out = append(out, listStreams(res.Declared()))
		case sql.ShowTables:
			out = append(out, listTables(res.Declared()))
		case sql.ShowViews:
			out = append(out, listViews(res.Declared()))
		case sql.ShowFunctions:
			out = append(out, listFunctions())
		case sql.ShowConnectors:
			out = append(out, listConnectors())
		case sql.DescribeConnector:
			out = append(out, describeConnector(s.Name))
		case sql.ShowSettings:
			out = append(out, listSettings(o, s.Name))
		case sql.ShowCreate:
			l := newListing("show_create_"+s.Name, "name", "statement")
			l.add(s.Name, s.Relation.Text)
			l.Text = s.Relation.Text + ";\n"
			out = append(out, l)
		case sql.Describe:
			l := describe(s.Name, s.Relation)
			for _, text := range s.Inferred {
				l.Notes = append(l.Notes, "as a declaration: "+text)
			}
			out = append(out, l)
		}
	}
	return out
}

func eventTime(d *sql.Declared) string {
	if d.Time < 0 {
		return ""
	}
	return d.Columns[d.Time].Name
}

// columnCount is "" for a declaration that is wrong.
func columnCount(d *sql.Declared) string {
	if d.Wrong != nil {
		return ""
	}
	return fmt.Sprint(len(d.Columns))
}

func listStreams(all []*sql.Declared) Listing {
	l := newListing("show_streams", "name", "connector", "columns", "event_time")
	for _, d := range all {
		if !d.View {
			l.add(d.Name, d.Connector, columnCount(d), eventTime(d))
		}
	}
	return l
}

func listTables(all []*sql.Declared) Listing {
	l := newListing("show_tables", "name", "kind", "columns", "event_time")
	for _, d := range all {
		l.add(d.Name, d.Kind, columnCount(d), eventTime(d))
	}
	return l
}

func listViews(all []*sql.Declared) Listing {
	l := newListing("show_views", "name", "columns", "event_time", "reads")
	for _, d := range all {
		if d.View {
			l.add(d.Name, columnCount(d), eventTime(d), strings.Join(d.Reads, ", "))
		}
	}
	return l
}

func listFunctions() Listing {
	l := newListing("show_functions", "name", "arguments", "category", "description")
	for _, name := range sql.Aggregates() {
		l.add(strings.ToUpper(name), "", "aggregate", "")
	}
	for _, f := range function.All() {
		if !f.Syntax {
			l.add(f.SQL, argumentsOf(f), f.Category, f.Doc)
		}
	}
	return l
}

// argumentsOf are the arguments of all overloads, with one word for the types of numbers.
func argumentsOf(f *function.Function) string {
	var all []string
	for _, s := range f.Signatures {
		var words []string
		for _, t := range s.Args {
			switch {
			case t == stream.Invalid:
				words = append(words, "any")
			case t.IsNumeric():
				words = append(words, "number")
			default:
				words = append(words, t.String())
			}
		}
		text := "(" + strings.Join(words, ", ") + ")"
		if s.Variadic {
			text = strings.TrimSuffix(text, ")") + ", ..)"
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return strings.Join(all, " ")
}

func listConnectors() Listing {
	l := newListing("show_connectors", "connector", "also", "reads", "writes", "options")
	for _, d := range connector.Describe() {
		l.add(d.Name, strings.Join(d.Aliases, ", "), yesNo(d.Reads), yesNo(d.Writes), strings.Join(d.OptionNames(), ", "))
	}
	return l
}

// describeConnector lists the options of a connector, which is there.
func describeConnector(name string) Listing {
	d, _ := connector.Find(name)
	l := newListing("describe_connector_"+d.Name, "option", "for", "formats", "values", "default", "also", "about")
	for _, o := range d.Options {
		standard := o.Default
		if o.Required {
			standard = "required"
		}
		l.add(o.Name, o.Direction.String(), strings.Join(o.Formats, ", "), o.Takes(), standard, strings.Join(o.Flink, ", "), o.About)
	}
	return l
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func listSettings(o Options, only string) Listing {
	l := newListing("show_settings", "setting", "value", "default", "about")
	for _, s := range sql.AllSettings() {
		if only == "" || only == s.Name {
			l.add(s.Name, settingValue(o, s.Name), s.Default, s.About)
		}
	}
	return l
}

// settingValue is what a setting is now, "" for its default.
func settingValue(o Options, name string) string {
	size := func(n int64) string {
		if n == 0 {
			return ""
		}
		return humanize.IBytes(uint64(n))
	}
	switch name {
	case "workers":
		return fmt.Sprint(o.Workers)
	case "task_size":
		return size(o.TaskBytes)
	case "memory":
		return size(o.MemoryBytes)
	case "latency_target":
		if o.LatencyTarget > 0 {
			return o.LatencyTarget.String()
		}
	case "processors":
		return o.Processors
	case "scheduler":
		return o.Scheduler
	case "format":
		return o.Format
	case "time_zone":
		return o.TimeZone
	}
	return ""
}

func describe(name string, d *sql.Declared) Listing {
	l := newListing("describe", "column", "type", "null", "about")
	if name != "" {
		l.Name += "_" + name
	}
	for i, f := range d.Columns {
		null := "yes"
		if f.NotNull {
			null = "no"
		}
		var about []string
		if i == d.Time {
			about = append(about, "event time")
		}
		if i < len(d.Computed) && d.Computed[i] != "" {
			about = append(about, "AS "+d.Computed[i])
		}
		l.add(f.Name, f.Type.String(), null, strings.Join(about, "; "))
	}
	if !d.View && d.Time >= 0 {
		delay := stream.AppendValue(nil, stream.Value{Type: stream.Interval, I: d.DelayMicros})
		l.Notes = append(l.Notes, fmt.Sprintf("watermark: %s - INTERVAL '%s'", d.Columns[d.Time].Name, delay))
	}
	if d.Connector != "" {
		l.Notes = append(l.Notes, "connector: "+d.Connector)
	}
	for _, o := range d.Options {
		l.Notes = append(l.Notes, fmt.Sprintf("  %s = '%s'", o.Name, strings.ReplaceAll(o.Value, "'", "''")))
	}
	if len(d.Reads) > 0 {
		l.Notes = append(l.Notes, "reads: "+strings.Join(d.Reads, ", "))
	}
	return l
}
