package house

import (
	"bytes"
	"go/ast"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Sizes of the house.
const (
	fileLinesMax   = 700
	foldersDeepMax = 3
)

// A folder is named after the one thing it holds; these names hold whatever is left.
var drawers = []string{"util", "utils", "common", "helper", "helpers", "types", "pkg", "misc", "shared", "base"}

func TestFoldersAreNouns(t *testing.T) {
	for _, folder := range repository(t).folders {
		if slices.Contains(drawers, path.Base(folder)) {
			t.Errorf("folder %s is a drawer for anything: name it after the one thing it holds, or move each part to where it is used", folder)
		}
	}
	for _, p := range repository(t).packages {
		if depth := strings.Count(p.folder, "/") + 1; depth > foldersDeepMax {
			t.Errorf("package %s lies %d folders deep: at most %d, so that the tree can be seen at once", p.folder, depth, foldersDeepMax)
		}
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range repository(t).packages {
		var comments []string
		code := false
		for _, f := range p.files {
			code = code || !f.test
			if f.syntax.Doc != nil && !f.test {
				comments = append(comments, f.path)
			}
		}
		switch {
		case !code:
		case len(comments) == 0:
			t.Errorf("package %s has no package comment: begin a file with what it is for, where it stands on the path of a row, and its entry point", p.folder)
		case len(comments) > 1:
			t.Errorf("package %s has %d package comments (%s): keep one", p.folder, len(comments), strings.Join(comments, ", "))
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	for f := range files(t) {
		if lines := bytes.Count(f.text, []byte("\n")); lines > fileLinesMax && !f.generated {
			t.Errorf("%s has %d lines, at most %d: split it where its subject changes", f.path, lines, fileLinesMax)
		}
	}
}

func TestFilesAreFormatted(t *testing.T) {
	for f := range files(t) {
		formatted, err := format.Source(f.text)
		if err != nil || !bytes.Equal(formatted, f.text) {
			t.Errorf("%s is not formatted: run gofmt -w %s", f.path, f.path)
		}
	}
}

func TestNothingIsLeftForLater(t *testing.T) {
	words := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"}
	for f := range files(t) {
		for _, group := range f.syntax.Comments {
			for _, c := range group.List {
				for _, w := range words {
					if slices.Contains(strings.FieldsFunc(c.Text, notLetter), w) {
						t.Errorf("%s: a comment says %s: do it, or refuse the case with a clear error and leave the plan to the tracker", f.set.Position(c.Pos()), w)
					}
				}
			}
		}
	}
}

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' }

// Tests that may skip themselves, by file, each with the reason.
var skips = map[string]string{
	"device/kernel/cuda_test.go":   "clang may be missing; with MILLRACE_REQUIRE_OPENCL, which .ci/run sets, that is a failure",
	"device/kernel/expr_test.go":   "an OpenCL device may be missing; with MILLRACE_REQUIRE_OPENCL, which .ci/run sets, that is a failure",
	"device/cuda/standin_test.go":  "compilers of C and C++ may be missing; with MILLRACE_REQUIRE_OPENCL, which .ci/run sets, that is a failure",
	"device/cuda/hardware_test.go": "few machines have an NVIDIA GPU; with MILLRACE_REQUIRE_CUDA, which the GPU bundle sets, that is a failure",
	"device/cuda/bench_test.go":    "as device/cuda/hardware_test.go: measurements of a GPU",
	"device/cuda/find_test.go":     "the compiler NVRTC comes from NVIDIA and is on few machines; it has no part in other tests",
	"device/opencl/opencl_test.go": "as device/kernel/expr_test.go",
	"test/random/opencl_test.go":   "as device/kernel/expr_test.go",
}

func TestNoTestSkipsUnseen(t *testing.T) {
	used := map[string]bool{}
	for f := range files(t) {
		if !f.test || strings.HasPrefix(f.path, "test/house/") {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); !ok || !slices.Contains([]string{"t", "b", "f", "tb"}, id.Name) {
				return true
			}
			used[f.path] = true
			if skips[f.path] == "" {
				t.Errorf("%s: a test skips itself: make it run everywhere, or list %s with the reason in test/house/packages_test.go", f.set.Position(n.Pos()), f.path)
			}
			return true
		})
	}
	for file := range skips {
		if !used[file] {
			t.Errorf("%s no longer skips: take it off the list in test/house/packages_test.go", file)
		}
	}
}

// files yields every Go file.
func files(t *testing.T) func(yield func(*sourceFile) bool) {
	packages := repository(t).packages
	return func(yield func(*sourceFile) bool) {
		for _, p := range packages {
			for _, f := range p.files {
				if !yield(f) {
					return
				}
			}
		}
	}
}

var (
	leaves  = regexp.MustCompile(`(?m)^(\[.*\]\s*)?(skip|stop)\b.*$`)
	foreign = regexp.MustCompile(`^\[!(unix|linux)\] (skip|stop)$`)
)

// Scripts end early on other systems only: where one needs a program, or a user of a kind,
// it fails without.
func TestNoScriptSkipsUnseen(t *testing.T) {
	scripts, err := filepath.Glob("../../cmd/millrace/testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	ended := 0
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range leaves.FindAllString(string(text), -1) {
			if ended++; !foreign.MatchString(line) {
				t.Errorf("%s: %q: a part of the script is not run, and nobody sees it", script, line)
			}
		}
	}
	if ended == 0 {
		t.Error("no script ends early anywhere: this test looks for the wrong thing")
	}
}
