package house

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Documents that name limits of the code as `package:Name`.
var limitDocuments = []string{"docs/limits.md", "docs/connectors.md", "docs/devices.md"}

var (
	codeName  = regexp.MustCompile("`([a-z][a-z/]*):([A-Za-z][A-Za-z0-9]*)`")
	limitName = regexp.MustCompile(`(^max[A-Z]|[a-z]Max$)`)
)

// Constants that are called as limits are, and limit nothing that a user meets.
var noLimits = map[string]string{
	"cmd/millrace:workersMax":         "sql:WorkersMax under another name",
	"cmd/millrace:schedulingTasksMax": "of a measurement",
	"connector:besidesMax":            "how many names a hint is chosen from",
	"connector:floatShortMax":         "where one way of writing numbers gives way to another",
	"connector:integerMax":            "a default of generated values, which docs/connectors.md has with the option",
	"connector:intervalMax":           "as connector:integerMax",
	"connector:lockTriesMax":          "attempts at a lock, which goes without then",
	"connector:namesShownMax":         "columns in a hint",
	"connector:nestingMax":            "where one reader of JSON gives way to another",
	"connector:recentFilesMax":        "more than can be asked for",
	"connector/parquet:stepsMax":      "where one plan of reading gives way to another",
	"device/cuda:jitLogMax":           "of a compiler's log",
	"device/kernel:probesMax":         "of a hash table: docs/devices.md has it with the groups of a task",
	"device/opencl:infoAllocationMax": "a number of OpenCL's",
	"model:CommentBytesMax":           "of a comment in printed models",
	"operator:digitsMax":              "beyond the digits of any number",
	"operator:fragmentsIdleMax":       "of memory kept for use again, which is counted as idle batches are",
	"operator:localSlideMax":          "where one algorithm gives way to another",
	"operator:maxSumBits":             "as operator:localSlideMax",
	"operator:packedAgeMax":           "as operator:localSlideMax",
	"operator:positionMax":            "beyond any time",
	"operator:scaledSumMax":           "as operator:localSlideMax",
	"operator:sketchFewMax":           "as operator:localSlideMax",
	"operator:sortKeepMax":            "as operator:localSlideMax",
	"operator:sparseRowsMax":          "as operator:localSlideMax",
	"operator:tableGroupsMax":         "as operator:localSlideMax",
	"sql:maxTimestampDigits":          "a fact of the type",
	"sql:maxWindowRows":               "stands for all rows",
	"stream/decimal:DigitsMax":        "stream:DecimalDigitsMax under another name",
	"stream/decimal:exponentMax":      "beyond which numbers are out of range anyway",
}

// TestLimitsAreDocumented: what documents call by its name is in the code, and constants that
// are limits are in the documents.
func TestLimitsAreDocumented(t *testing.T) {
	root, documented := repository(t).root, map[string]string{}
	for _, name := range limitDocuments {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codeName.FindAllStringSubmatch(string(text), -1) {
			documented[m[1]+":"+m[2]] = name
		}
	}
	declared, limits, folders := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for f := range files(t) {
		if f.test {
			continue
		}
		folder := filepath.ToSlash(filepath.Dir(f.path))
		folders[folder] = true
		for _, d := range f.syntax.Decls {
			for name, constant := range declarations(d) {
				declared[folder+":"+name] = true
				if constant && limitName.MatchString(name) && hasLimits(folder) {
					limits[folder+":"+name] = true
				}
			}
		}
	}
	for name, document := range documented {
		if folder, _, _ := strings.Cut(name, ":"); folders[folder] && !declared[name] {
			t.Errorf("%s names %s, which is not in the code", document, name)
		}
	}
	for name := range limits {
		if documented[name] == "" && noLimits[name] == "" {
			t.Errorf("%s is in none of %q: say there what happens beyond it, or list it in test/house/limits_test.go with the reason", name, limitDocuments)
		}
	}
	for name := range noLimits {
		if !limits[name] {
			t.Errorf("%s is gone: take it off the list in test/house/limits_test.go", name)
		} else if documented[name] != "" {
			t.Errorf("%s is in %s, and on the list in test/house/limits_test.go", name, documented[name])
		}
	}
	if len(limits) < 60 || len(documented) < 60 {
		t.Errorf("%d limits in the code and %d in documents: this test looks for the wrong thing", len(limits), len(documented))
	}
}

// hasLimits: the folder is part of the program.
func hasLimits(folder string) bool {
	for _, other := range []string{"test", "examples", "bench", "internal", "reference", "operator/optest"} {
		if within(folder, other) {
			return false
		}
	}
	return true
}

// declarations are the names that one declares; true: a constant.
func declarations(d ast.Decl) map[string]bool {
	out := map[string]bool{}
	switch d := d.(type) {
	case *ast.FuncDecl:
		out[d.Name.Name] = false
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				out[s.Name.Name] = false
			case *ast.ValueSpec:
				for _, n := range s.Names {
					out[n.Name] = d.Tok == token.CONST
				}
			}
		}
	}
	return out
}
