package connector

import (
	"slices"
	"sort"

	"github.com/millrace/millrace/stream"
)

// Description is what users are told of a connector, by SHOW CONNECTORS and completion.
type Description struct {
	Name          string
	Aliases       []string
	Reads, Writes bool
	Options       []string // names, sorted; those of datagen's columns with <column> for the name
}

// Describe describes all connectors, by name.
func Describe() []Description {
	var out []Description
	for _, name := range append(append([]string(nil), sourceConnectors...), sinkConnectors...) {
		d := Description{Name: name, Reads: slices.Contains(sourceConnectors, name), Writes: slices.Contains(sinkConnectors, name)}
		for _, alias := range sortedKeys(connectorAliases) {
			if connectorAliases[alias] == name {
				d.Aliases = append(d.Aliases, alias)
			}
		}
		for _, format := range Formats() {
			d.Options = append(append(d.Options, sourceOptions(name, format)...), sinkOptionNames(name, format)...)
		}
		sort.Strings(d.Options)
		d.Options = slices.Compact(d.Options)
		out = append(out, d)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return slices.CompactFunc(out, func(a, b Description) bool { return a.Name == b.Name })
}

// sourceOptions are the names that a source connector asks for with a format.
func sourceOptions(name, format string) []string {
	o := newOptionSet(map[string]string{"format": format})
	switch name {
	case connectorFile:
		o.takeFile()
	case connectorStdin:
		o.takeStdin()
	case connectorDatagen:
		o.takeDatagen([]stream.Field{
			{Name: "<column>", Type: stream.BigInt}, {Name: "<column>", Type: stream.Varchar}, {Name: "<column>", Type: stream.Timestamp},
		})
	case connectorReplay:
		o.takeReplay()
	}
	return o.known
}

func sinkOptionNames(name, format string) []string {
	o := newOptionSet(map[string]string{"format": format})
	switch name {
	case connectorFile:
		o.takeFileSink()
	case connectorStdout:
		o.takeSinkFormat("", FormatNDJSON, textFormats)
	}
	return o.known
}

// Formats are the formats that files have; standard streams have those of text.
func Formats() []string {
	return []string{FormatCSV, FormatNDJSON, FormatArrow, FormatAvro, FormatParquet}
}
