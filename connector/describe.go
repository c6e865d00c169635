package connector

import (
	"slices"
	"sort"
)

// Description is what users are told of a connector, by SHOW CONNECTORS, DESCRIBE
// CONNECTOR, completion and docs/connectors.md.
type Description struct {
	Name          string
	Aliases       []string
	Reads, Writes bool
	Options       []Option // in the order in which they are explained
}

// OptionNames are the names of the options, sorted, each once; those of datagen's columns
// with <column> for the name.
func (d *Description) OptionNames() []string {
	var out []string
	for _, o := range d.Options {
		out = append(out, o.Name)
	}
	sort.Strings(out)
	return slices.Compact(out)
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
		d.Options = Options(name, Reads|Writes)
		out = append(out, d)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return slices.CompactFunc(out, func(a, b Description) bool { return a.Name == b.Name })
}

// Find describes the connector of a name or alias.
func Find(name string) (Description, bool) {
	name = canonicalConnector(name)
	all := Describe()
	if i := slices.IndexFunc(all, func(d Description) bool { return d.Name == name }); i >= 0 {
		return all[i], true
	}
	return Description{}, false
}

// Formats are the formats that files have; standard streams have those of text.
func Formats() []string {
	return []string{FormatCSV, FormatNDJSON, FormatArrow, FormatAvro, FormatParquet}
}
