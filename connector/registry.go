package connector

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sort"
	"strings"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Env is what a connector uses of the process it runs in.
type Env struct {
	Stdin io.Reader // read by the connector stdin; one source at a time
	// Stdout is written by stdout and print: whole rows with each Write. It must allow
	// concurrent Writes if several sinks use it, as an *os.File does.
	Stdout io.Writer
	// BlockBytes replaces the size of blocks; 0 means BlockBytes. Tests set it to cut
	// records everywhere.
	BlockBytes int
	Log        *slog.Logger // of what happens to watched files; nil: nobody listens
	// Notify is told what happens while a job runs: where a source listens, a connection
	// that was lost. It may be called from any goroutine; nil: nobody listens.
	Notify func(message string)
}

func (e Env) say(message string) {
	if e.Notify != nil {
		e.Notify(message)
	}
}

// Info is what checked options say of a source or sink.
type Info struct {
	Connector string            // canonical name
	Options   map[string]string // canonical names; the connector itself left out
	Bounded   bool              // sources: every partition ends
	Live      bool              // sources: input may pause
}

// The connectors.
const (
	connectorFile      = "file"
	connectorStdin     = "stdin"
	connectorStdout    = "stdout"
	connectorBlackhole = "blackhole"
	connectorDatagen   = "datagen"
	connectorReplay    = "replay"
	connectorHTTP      = "http"
)

var connectorAliases = map[string]string{
	"filesystem": connectorFile, "print": connectorStdout, "generator": connectorDatagen,
}

const (
	roleSource = "source"
	roleSink   = "sink"
)

var (
	sourceConnectors = []string{connectorDatagen, connectorFile, connectorHTTP, connectorReplay, connectorStdin}
	sinkConnectors   = []string{connectorBlackhole, connectorFile, connectorHTTP, connectorStdout}
)

// CheckSource checks a source's WITH clause against its physical columns, in order.
// Files must exist, but are not opened. An error is a *model.OptionError.
func CheckSource(options map[string]string, columns []stream.Field) (Info, error) {
	o, err := chooseConnector(options, sourceConnectors, roleSource)
	if err != nil {
		return Info{}, err
	}
	if len(columns) == 0 {
		o.fail("", "a stream needs at least one physical column", "name the columns to read")
	}
	info := Info{Connector: o.connector, Bounded: true}
	_, check := takeSource(o, columns)
	check(&info)
	if err := o.done(); err != nil {
		return Info{}, err
	}
	info.Options = o.values
	return info, nil
}

// takeSource reads the options of a source: what they say, and what that means for it.
func takeSource(o *optionSet, columns []stream.Field) (options any, check func(*Info)) {
	switch o.connector {
	case connectorFile:
		t, partitions := o.takeFile(columns)
		return t, func(info *Info) {
			if o.err == nil && !t.text() && len(partitions[0]) > 0 {
				o.checkColumns(t, partitions[0][0], withoutKeys(columns, t.keys))
			}
			info.Live = t.follow || t.watch > 0
			info.Bounded = !info.Live
		}
	case connectorStdin:
		return o.takeStdin(), func(info *Info) { info.Live = true }
	case connectorDatagen:
		g := o.takeDatagen(columns)
		return g, func(info *Info) { info.Bounded, info.Live = g.rows >= 0, g.rowsPerSecond > 0 }
	case connectorHTTP:
		h := o.takeHTTPSource()
		return h, func(info *Info) { info.Bounded, info.Live = h.bounded(), true }
	}
	r := o.takeReplay()
	return r, func(info *Info) { info.Bounded, info.Live = r.rows >= 0, r.rowsPerSecond > 0 }
}

// takeSink reads the options of a sink.
func takeSink(o *optionSet, columns []stream.Field) (options any) {
	switch o.connector {
	case connectorFile:
		return o.takeFileSink(columns)
	case connectorStdout:
		return o.takeStdout()
	case connectorHTTP:
		return o.takeHTTPSink()
	}
	return nil
}

// CheckSink checks a sink's WITH clause against its columns. A file's folder must exist. An error is a
// *model.OptionError.
func CheckSink(options map[string]string, columns []stream.Field) (Info, error) {
	o, err := chooseConnector(options, sinkConnectors, roleSink)
	if err != nil {
		return Info{}, err
	}
	takeSink(o, columns)
	if err := o.done(); err != nil {
		return Info{}, err
	}
	return Info{Connector: o.connector, Options: o.values, Bounded: true}, nil
}

// chooseConnector finds the connector and takes its name out of the options.
func chooseConnector(options map[string]string, allowed []string, role string) (*optionSet, error) {
	o := newOptionSet(options)
	key := o.written["connector"]
	name := canonicalConnector(o.values["connector"])
	o.connector, o.direction = name, Reads
	if role == roleSink {
		o.direction = Writes
	}
	delete(o.values, "connector")
	if i := sort.SearchStrings(allowed, name); i < len(allowed) && allowed[i] == name {
		return o, o.errorOrNil()
	}
	list := strings.Join(allowed, ", ")
	if name == "" {
		return nil, &model.OptionError{Option: key, Message: "the option connector is missing", Hint: "a " + role + " is one of " + list}
	}
	e := &model.OptionError{Option: key, Message: fmt.Sprintf("there is no %s connector %q", role, name), Hint: "there are " + list}
	if near := nearest(name, append(append([]string(nil), allowed...), sortedKeys(connectorAliases)...)); near != "" && near != name {
		e.Hint = fmt.Sprintf("did you mean %q? (there are %s)", near, list)
	}
	return nil, e
}

func canonicalConnector(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if canonical, ok := connectorAliases[name]; ok {
		return canonical
	}
	return name
}

func (o *optionSet) errorOrNil() error {
	if o.err == nil {
		return nil
	}
	return o.err
}

// OpenSource opens a source that CheckSource has accepted. The columns that anybody
// reads are those present in the batches its decoders fill; reading says so ahead of time,
// and which rows will be dropped. Computed columns are left to the caller.
func OpenSource(name string, src *model.Source, schema *stream.Schema, reading Reading, env Env) (Source, error) {
	options := withConnector(src.Connector, src.Options)
	var physical []stream.Field
	for i, f := range schema.Fields {
		if i >= len(src.Computed) || src.Computed[i] == nil {
			physical = append(physical, f)
		}
	}
	o, err := chooseConnector(options, sourceConnectors, roleSource)
	if err != nil {
		return nil, err
	}
	var opened Source
	switch o.connector {
	case connectorFile:
		t, partitions := o.takeFile(physical)
		if o.err == nil {
			if opened, err = newFileSource(name, src, schema, t, partitions, reading, env); err != nil {
				return nil, err
			}
		}
	case connectorStdin:
		opened = newStdinSource(name, src, schema, o.takeStdin(), env)
	case connectorDatagen:
		opened = newDatagenSource(name, src, schema, o.takeDatagen(physical))
	case connectorReplay:
		if r := o.takeReplay(); o.err == nil {
			if opened, err = newReplaySource(name, src, schema, r, env); err != nil {
				return nil, err
			}
		}
	case connectorHTTP:
		h := o.takeHTTPSource()
		if err := o.done(); err != nil {
			return nil, err
		}
		return openHTTPSource(name, src, schema, h, env)
	}
	if err := o.done(); err != nil {
		return nil, err
	}
	return opened, nil
}

// OpenSink opens a sink that CheckSink has accepted, for the columns that visible lists.
func OpenSink(sink *model.Sink, schema *stream.Schema, visible []int, env Env) (Sink, error) {
	o, err := chooseConnector(withConnector(sink.Connector, sink.Options), sinkConnectors, roleSink)
	if err != nil {
		return nil, err
	}
	switch o.connector {
	case connectorFile:
		t := o.takeFileSink(nil)
		if err := o.done(); err != nil {
			return nil, err
		}
		if t.folder != nil {
			return openFolderSink(t, schema, visible)
		}
		if !t.text() {
			return openColumnSink(t, schema, visible)
		}
		return openFileSink(t, schema, visible)
	case connectorStdout:
		t := o.takeStdout()
		if err := o.done(); err != nil {
			return nil, err
		}
		return newStdoutSink(t, schema, visible, env), nil
	case connectorHTTP:
		h := o.takeHTTPSink()
		if err := o.done(); err != nil {
			return nil, err
		}
		return openHTTPSink(h, schema, visible, env)
	}
	if err := o.done(); err != nil {
		return nil, err
	}
	return &blackhole{}, nil
}

func withConnector(connector string, options map[string]string) map[string]string {
	out := map[string]string{"connector": connector}
	for k, v := range options {
		out[k] = v
	}
	return out
}

// SourceFiles are the files that a source reads, as its path is resolved now; none if it
// is no file source or if they cannot be found.
func SourceFiles(src *model.Source) []string {
	if canonicalConnector(src.Connector) != connectorFile {
		return nil
	}
	values := newOptionSet(src.Options).values
	files, err := searched{path: values["path"], folders: values[keysOption] != "", none: true}.find()
	if err != nil {
		return nil // opening the source says why
	}
	return files
}

// SinkFile is the file that a sink writes, or "": it writes none, or a folder.
func SinkFile(sink *model.Sink) string {
	o := newOptionSet(sink.Options)
	path := strings.TrimPrefix(o.values["path"], fileScheme)
	if canonicalConnector(sink.Connector) != connectorFile || o.takeFolder(path, nil) != nil {
		return ""
	}
	return path
}

// SinkFolder is the folder that a sink writes, or "".
func SinkFolder(sink *model.Sink) string {
	o := newOptionSet(sink.Options)
	path := strings.TrimPrefix(o.values["path"], fileScheme)
	if canonicalConnector(sink.Connector) != connectorFile || o.takeFolder(path, nil) == nil {
		return ""
	}
	return filepath.Clean(path)
}

// WatchedFolder is the folder in which a source looks for new files, or "".
func WatchedFolder(src *model.Source) string {
	values := newOptionSet(src.Options).values
	path := strings.TrimPrefix(values["path"], fileScheme)
	if canonicalConnector(src.Connector) != connectorFile || values["watch"] == "" {
		return ""
	}
	if strings.ContainsAny(path, "*?[") {
		path = filepath.Dir(path)
	}
	return filepath.Clean(path)
}

// IsStdin reports whether a source reads standard input.
func IsStdin(src *model.Source) bool { return canonicalConnector(src.Connector) == connectorStdin }
