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
		d.Options = append(sourceOptions(name), sinkOptionNames(name)...)
		sort.Strings(d.Options)
		d.Options = slices.Compact(d.Options)
		out = append(out, d)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return slices.CompactFunc(out, func(a, b Description) bool { return a.Name == b.Name })
}

// sourceOptions are the names that a source connector asks for, of files in CSV, which has
// the most.
func sourceOptions(name string) []string {
	o := newOptionSet(map[string]string{"format": FormatCSV})
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

func sinkOptionNames(name string) []string {
	o := newOptionSet(map[string]string{"format": FormatCSV})
	switch name {
	case connectorFile:
		o.takeFileSink()
	case connectorStdout:
		o.takeSinkFormat("", FormatNDJSON)
	}
	return o.known
}

// Formats are the formats of text that files and standard streams have.
func Formats() []string { return []string{FormatCSV, FormatNDJSON} }
