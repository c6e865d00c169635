package house

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A layer is a folder with everything below it. It may import itself and what `may`
// lists (folders with everything below them, or one package after "="); why says what
// breaks when it imports more.
type layer struct {
	folder string
	may    []string
	why    string
}

// The layers, from the top. Imports only go down.
var layers = []layer{
	{"cmd/millrace", []string{"*"}, ""},
	{"test", []string{"*"}, ""},
	{"examples", []string{"*"}, ""},
	{"docs", []string{"*"}, ""},
	{".", []string{"job", "state", "model", "stream", "connector", "optimize", "sql"},
		"the public API stands on job, the only assembly of the path; reaching past it would assemble a second one"},
	{"server", []string{".", "job"},
		"a door for existing tools sees what every user sees, so that nothing works only through one door"},
	{"web", nil, "the console is built files and one embed.go; what it shows comes over HTTP"},
	{"bench", []string{".", "connector", "state", "stream", "engine/schedule/simulate"},
		"a benchmark measures what a user gets, not a part of it; a sink for results is made of these three, and scheduling is simulated"},
	{"job", []string{"cluster", "engine", "connector", "device", "operator", "reference", "sdg", "state", "bind", "optimize", "sql", "model", "stream", "internal"},
		"job is used by run, serve, bench and tests alike and so knows none of them"},
	{"cluster", []string{"engine", "connector", "device", "operator", "state", "bind", "model", "stream", "internal"},
		"nodes run bound plans; the front ends and the reference are not theirs"},
	{"engine", []string{"connector", "device", "operator", "state", "bind", "model", "stream", "internal"},
		"the engine runs a bound plan through contracts: with sql or optimize in it, it could decide what, not only when"},
	{"connector", []string{"state", "model", "stream", "internal"},
		"a connector turns bytes into columns and back; one that knew operators or the engine could not be tried alone"},
	{"device/devicetest", []string{"device", "operator", "state", "reference", "model", "stream", "internal"},
		"the suite compares every device with the reference"},
	{"device", []string{"operator", "state", "model", "stream", "internal"},
		"a device executes functions it is given; scheduling is the engine's"},
	{"operator/optest", []string{"operator", "reference", "state", "model", "stream", "internal"},
		"the harness compares every operator with the reference"},
	{"operator", []string{"state", "model", "stream", "internal"},
		"operators compute on columns; where rows come from and who calls is not their business"},
	{"reference", []string{"model", "=stream", "internal"},
		"the oracle shares no window arithmetic, kernel or evaluator with the engine: a bug in shared code would be invisible"},
	{"sdg", []string{"state", "model", "stream", "internal"},
		"programs become models like statements do; whoever runs them is below job"},
	{"state", []string{"stream", "internal"}, "a snapshot must be readable without knowing what made it"},
	{"bind", []string{"model", "stream"},
		"binding is a function of the model and a description of processors as data; it opens and asks nothing"},
	{"optimize", []string{"model", "stream"},
		"an optimization reads the model and statistics as data; it cannot depend on how operators are built"},
	{"sql", []string{"model", "stream", "internal"}, "the front end says what is wanted; connectors are checked through its catalogue interface"},
	{"model", []string{"stream"}, "the dataflow is plain data that everybody reads"},
	{"stream", nil, "the vocabulary stands on nothing, since everything stands on it"},
	{"internal/vector", nil, "loops over slices know no domain; beside the standard library they ask golang.org/x/sys/cpu what the processor can, and avo writes their assembly"},
	{"internal", nil, "leaf helpers with no domain knowledge: the standard library only"},
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range repository(t).packages {
		from, ok := layerOf(p.folder)
		if !ok {
			t.Errorf("folder %s is in no layer: give it a line in test/house/layers_test.go, with what it may import and why no more", p.folder)
			continue
		}
		for _, f := range p.files {
			if f.test {
				continue
			}
			for _, path := range f.imports {
				if reason := from.refuses(path); reason != "" {
					t.Errorf("%s imports %s: %s. Move the code to a folder that may, or pass what it needs in as data or through an interface of %s",
						f.path, path, reason, from.folder)
				}
			}
		}
	}
}

// layerOf finds the most specific layer of a folder.
func layerOf(folder string) (layer, bool) {
	best, found := layer{}, false
	for _, l := range layers {
		if within(folder, l.folder) && (!found || len(l.folder) > len(best.folder)) {
			best, found = l, true
		}
	}
	return best, found
}

// within: the root folder is only itself, others have everything below them.
func within(folder, layer string) bool {
	return folder == layer || layer != "." && strings.HasPrefix(folder, layer+"/")
}

func (l layer) refuses(path string) string {
	if path == "C" {
		return "the engine builds without cgo; vendor libraries are loaded at run time"
	}
	folder, ours := strings.CutPrefix(path, modulePath)
	if !ours {
		if external := strings.Contains(strings.Split(path, "/")[0], "."); external && l.folder == "internal" {
			return l.why
		}
		return ""
	}
	folder = strings.TrimPrefix(folder, "/")
	if folder == "" {
		folder = "."
	}
	if slices.Contains(l.may, "*") && !within(folder, "test") && !within(folder, "examples") || within(folder, l.folder) {
		return ""
	}
	for _, m := range l.may {
		if only, exact := strings.CutPrefix(m, "="); exact && folder == only || !exact && within(folder, m) {
			return ""
		}
	}
	if l.folder == "test" && within(folder, "examples") {
		return ""
	}
	return fmt.Sprintf("%s may import %s, because %s", l.folder, orNothing(l.may), orTests(l.why))
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing of ours"
	}
	return strings.Join(list, ", ")
}

func orTests(why string) string {
	if why == "" {
		return "tests and examples are imported by nobody"
	}
	return why
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		from, to string
		refused  bool
	}{
		{"sql", modulePath + "/model/function", false},
		{"sql", modulePath + "/engine", true},
		{"reference", modulePath + "/stream", false},
		{"reference", modulePath + "/stream/window", true},
		{"reference", modulePath + "/operator", true},
		{"operator/optest", modulePath + "/reference", false},
		{"operator", modulePath + "/reference", true},
		{"engine/schedule", modulePath + "/operator", false},
		{"stream/window", modulePath + "/stream", false},
		{"stream", modulePath + "/model", true},
		{"internal/leak", "golang.org/x/sys/unix", true},
		{"internal/leak", "runtime/pprof", false},
		{"cmd/millrace", modulePath, false},
		{"cmd/millrace", modulePath + "/test/random", true},
		{"bench", modulePath, false},
		{"bench", modulePath + "/engine", true},
		{"bench", modulePath + "/engine/schedule", true},
		{"engine", "C", true},
	} {
		l, ok := layerOf(c.from)
		if got := l.refuses(c.to) != ""; !ok || got != c.refused {
			t.Errorf("%s importing %s: refused %v", c.from, c.to, got)
		}
	}
}
