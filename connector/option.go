package connector

import (
	"slices"
	"strings"
)

// Direction says which way rows go through a connector.
type Direction uint8

// The directions.
const (
	Reads Direction = 1 << iota
	Writes
)

// Option is one option of WITH. The table of all of them is what unknown options are told
// by, what Flink's names are found in, what SHOW, DESCRIBE and completion offer, and what
// docs/connectors.md has; a test holds that the readers of options ask for exactly these.
type Option struct {
	Name       string   // as it is looked up; of a generated column fields.<column>.min
	Flink      []string // names that mean the same, most of them Flink's, as they are written there
	Connectors []string
	Direction  Direction // one of them, or both
	Formats    []string  // nil: whatever the format
	Type       string    // what is written; "" if Words say it
	Words      []string  // the values that there are
	Default    string    // "": none, or About says what stands in its place
	Required   bool
	About      string
}

// Takes describes the values of an option to users.
func (o *Option) Takes() string {
	words := "'" + strings.Join(o.Words, "', '") + "'"
	switch {
	case len(o.Words) == 0:
		return o.Type
	case o.Type == "":
		return words
	}
	return o.Type + ": " + words
}

// String says where an option belongs.
func (d Direction) String() string {
	switch d {
	case Reads:
		return "reading"
	case Writes:
		return "writing"
	}
	return "both"
}

// applies reports whether a connector has the option in a direction with a format; an
// unknown format ("") may be any.
func (o *Option) applies(connector string, direction Direction, format string) bool {
	return slices.Contains(o.Connectors, connector) && o.Direction&direction != 0 &&
		(o.Formats == nil || format == "" || slices.Contains(o.Formats, format))
}

// Options are the options that a connector has in some direction, in the order in which
// they are explained. An alias of a connector does not count as its name.
func Options(connector string, direction Direction) []Option {
	var out []Option
	for i := range optionTable {
		if optionTable[i].applies(connector, direction, "") {
			out = append(out, optionTable[i])
		}
	}
	return out
}

// optionNames are the names of the options that apply, each once.
func optionNames(connector string, direction Direction, format string) []string {
	var out []string
	for i := range optionTable {
		if o := &optionTable[i]; o.applies(connector, direction, format) && !slices.Contains(out, o.Name) {
			out = append(out, o.Name)
		}
	}
	return out
}

// elsewhere says where an option belongs that a connector does not have here: to another
// format or to the other direction. It is "" for one that the connector does not have.
func elsewhere(name, connector string) string {
	for i := range optionTable {
		o := &optionTable[i]
		if o.Name != name || !slices.Contains(o.Connectors, connector) {
			continue
		}
		if o.Formats != nil {
			return "it is for " + o.Direction.String() + " the format " + strings.Join(o.Formats, ", ")
		}
		return "it is for " + o.Direction.String()
	}
	return ""
}

// aliases are the other names of options, in canonical form.
var aliases = func() map[string]string {
	m := map[string]string{}
	for _, o := range optionTable {
		for _, other := range o.Flink {
			if name := canonicalOption(other); name != o.Name {
				m[name] = o.Name
			}
		}
	}
	return m
}()

func canonicalOption(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_")
}
