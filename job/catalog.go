package job

import (
	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/sql"
	"github.com/millrace/millrace/stream"
)

// catalog answers the resolver's questions about connectors.
type catalog struct{}

func (catalog) Source(name string, options map[string]string, columns []stream.Field) (sql.Connection, error) {
	info, err := connector.CheckSource(withConnector(name, options), columns)
	return connection(info), err
}

func (catalog) Connectors() []string {
	var out []string
	for _, d := range connector.Describe() {
		out = append(append(out, d.Name), d.Aliases...)
	}
	return out
}

func (catalog) Sink(name string, options map[string]string, columns []stream.Field) (sql.Connection, error) {
	info, err := connector.CheckSink(withConnector(name, options), columns)
	return connection(info), err
}

// File implements sql.FileCatalog.
func (catalog) File(path string) (string, map[string]string, []stream.Field, []string, error) {
	f, err := connector.Infer(path)
	return f.Connector, f.Options, f.Columns, f.Left, err
}

func withConnector(name string, options map[string]string) map[string]string {
	out := map[string]string{"connector": name}
	for k, v := range options {
		out[k] = v
	}
	return out
}

func connection(i connector.Info) sql.Connection {
	return sql.Connection{Connector: i.Connector, Options: i.Options, Bounded: i.Bounded}
}
