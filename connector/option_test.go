package connector

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/stream"
)

var rewrite = flag.Bool("rewrite", false, "write the tables of docs/connectors.md anew")

const connectorsDocument = "../docs/connectors.md"

// probe asks for the options of a connector as opening it does, and returns what it read.
func probe(direction Direction, options map[string]string) (any, *optionSet) {
	role := roleSource
	if direction == Writes {
		role = roleSink
	}
	o, err := chooseConnector(options, connectorsOf(direction), role)
	if err != nil {
		return nil, nil
	}
	if direction == Writes {
		return takeSink(o, probeColumns), o
	}
	read, _ := takeSource(o, probeColumns)
	return read, o
}

func connectorsOf(direction Direction) []string {
	if direction == Writes {
		return sinkConnectors
	}
	return sourceConnectors
}

// probeColumns have the types between them whose columns have options of their own.
var probeColumns = []stream.Field{{Name: "n", Type: stream.BigInt}, {Name: "t", Type: stream.Varchar}, {Name: "at", Type: stream.Timestamp}, {Name: "f", Type: stream.Double}}

// withColumn turns the options of a column into that of any column.
func withColumn(name string) string {
	for _, f := range probeColumns {
		name = strings.Replace(name, "fields."+f.Name+".", "fields.<column>.", 1)
	}
	return name
}

// TestOptionsAreTheTable: what a connector asks for with a format is what the table says.
func TestOptionsAreTheTable(t *testing.T) {
	for _, d := range Describe() {
		for _, direction := range []Direction{Reads, Writes} {
			for _, format := range Formats() {
				options := map[string]string{"connector": d.Name, "format": format}
				_, o := probe(direction, options)
				if o == nil {
					continue
				}
				formatted := slices.Contains(optionNames(d.Name, direction, ""), "format")
				if formatted && o.format != format {
					continue // a format that it does not have
				}
				asked := map[string]bool{}
				for _, name := range o.asked {
					asked[withColumn(name)] = true
				}
				want := optionNames(d.Name, direction, o.format)
				slices.Sort(want)
				if got := sortedKeys(asked); !slices.Equal(got, want) {
					t.Errorf("%s, %s %s: asked for %v, the table has %v", d.Name, direction, format, got, want)
				}
			}
		}
	}
}

// TestOptionsTakeWhatTheTableSays: the words of an option are accepted and others are not,
// and its default changes nothing.
func TestOptionsTakeWhatTheTableSays(t *testing.T) {
	for _, option := range optionTable {
		name := strings.Replace(option.Name, "<column>", "n", 1)
		if strings.HasSuffix(name, "max_past") {
			name = "fields.at.max_past"
		}
		for _, connector := range option.Connectors {
			for _, direction := range []Direction{Reads, Writes} {
				for _, format := range append(slices.Clone(option.Formats), "")[:max(1, len(option.Formats))] {
					if option.applies(connector, direction, format) && slices.Contains(connectorsOf(direction), connector) {
						checkOption(t, option, name, connector, direction, format)
					}
				}
			}
		}
	}
}

func checkOption(t *testing.T, option Option, name, connector string, direction Direction, format string) {
	t.Helper()
	try := func(value string, given bool) (any, *optionSet) {
		options := map[string]string{"connector": connector}
		if slices.Contains(optionNames(connector, direction, ""), "path") {
			options["path"] = "x.csv"
		}
		if format != "" {
			options["format"] = format
		}
		if given {
			options[name] = value
		}
		return probe(direction, options)
	}
	if _, o := try("", false); format != "" && o.format != format {
		return // a format that the connector does not have
	}
	complains := func(o *optionSet) bool { return o.err != nil && o.err.Option == name }
	for _, word := range option.Words {
		if _, o := try(word, true); complains(o) && !strings.Contains(o.err.Message, "found") && name != "follow" {
			t.Errorf("%s: %s = '%s' is refused: %v", connector, name, word, o.err)
		}
	}
	if len(option.Words) > 0 {
		if _, o := try("no such word", true); !complains(o) {
			t.Errorf("%s: %s takes any word", connector, name)
		}
	}
	if option.Default == "" {
		return
	}
	without, _ := try("", false)
	with, o := try(option.Default, true)
	if complains(o) || !reflect.DeepEqual(without, with) {
		t.Errorf("%s, %s %s: %s = '%s' is not the default: %+v, %+v (%v)", connector, direction, format, name, option.Default, without, with, o.err)
	}
}

// tables are the generated parts of the document: what stands between two comments.
var tables = regexp.MustCompile(`(?s)(<!-- options of ([a-z]+) -->\n).*?(<!-- end -->\n)`)

// TestDocumentHasTheTables: docs/connectors.md has a table for every connector and format,
// and each says what the code does.
func TestDocumentHasTheTables(t *testing.T) {
	text, err := os.ReadFile(connectorsDocument)
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	now := tables.ReplaceAllStringFunc(string(text), func(part string) string {
		m := tables.FindStringSubmatch(part)
		there = append(there, m[2])
		return m[1] + tableOf(m[2]) + m[3]
	})
	want := append(Formats(), "refused")
	for _, d := range Describe() {
		if len(d.Options) > 0 {
			want = append(want, d.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(there)
	if !slices.Equal(want, there) {
		t.Errorf("%s has tables of %v, want %v", connectorsDocument, there, want)
	}
	if now == string(text) {
		return
	}
	if *rewrite {
		if err := os.WriteFile(connectorsDocument, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not what the table says: run go test ./connector -run Document -rewrite", connectorsDocument)
}

// tableOf is the table of a connector's own options, or of a format's, or of the options of
// Flink that are refused.
func tableOf(name string) string {
	if name == "refused" {
		return tableOfRefused()
	}
	format := slices.Contains(Formats(), name)
	var b strings.Builder
	b.WriteString("| option | Flink's name | for | values | default | meaning |\n|---|---|---|---|---|---|\n")
	for _, o := range optionTable {
		if format && !slices.Contains(o.Formats, name) || !format && (o.Formats != nil || !slices.Contains(o.Connectors, name)) {
			continue
		}
		where := o.Direction.String()
		if format && o.Direction == Reads && slices.Equal(o.Connectors, fileReaders) || format && len(o.Connectors) == 1 {
			where += " " + strings.Join(o.Connectors, ", ")
		}
		standard := code(o.Default)
		if o.Required {
			standard = "required"
		}
		values := o.Type
		if len(o.Words) > 0 {
			values = "`" + strings.Join(o.Words, "` `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", o.Name, code(strings.Join(o.Flink, "` `")), where, values, standard, escaped(o.About))
	}
	return b.String()
}

func tableOfRefused() string {
	var b strings.Builder
	b.WriteString("| Flink's option | instead |\n|---|---|\n")
	for _, name := range sortedKeys(refused) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(name, "_", "-"), escaped(refused[name]))
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", `\|`) + "`"
}

func escaped(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, `\`, `\\`, "<", `\<`).Replace(s)
}
