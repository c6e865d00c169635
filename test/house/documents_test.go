package house

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Documents point at the code as `path` or `path:Symbol` in back quotes, and at each
// other with links; both must exist.
var (
	quoted = regexp.MustCompile("`([^`\n]+)`")
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence  = regexp.MustCompile("(?ms)^```.*?^```")
	// A path is words of ordinary characters between slashes, then perhaps a symbol.
	pathLike = regexp.MustCompile(`^([A-Za-z0-9_.*-]+(?:/[A-Za-z0-9_.*-]+)*/?)(?::([A-Za-z_][A-Za-z0-9_.]*))?$`)
	capitals = regexp.MustCompile(`^[A-Z]+\.md$`)
)

func TestDocumentsPointAtThingsThatExist(t *testing.T) {
	r := repository(t)
	documents := documentFiles(t, r.root)
	for _, doc := range documents {
		data, err := os.ReadFile(filepath.Join(r.root, doc))
		if err != nil {
			t.Fatal(err)
		}
		text := fence.ReplaceAllString(string(data), "")
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			if fault := r.wrongReference(m[1]); fault != "" {
				t.Errorf("%s mentions `%s`, and %s: put the reference right, or leave out the back quotes if it is no path of this repository", doc, m[1], fault)
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			if !r.exists(path.Join(path.Dir(doc), target)) {
				t.Errorf("%s links to %s, which does not exist: put the link right", doc, m[1])
			}
		}
	}
}

func documentFiles(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case path.Ext(name) == ".md" && name != "CHANGELOG.md": // it tells of what was
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CONTRIBUTING.md", "RATIONALE.md"} {
		if !slices.Contains(out, want) {
			t.Errorf("%s is missing", want)
		}
	}
	return out
}

// wrongReference says what is wrong with a text in back quotes, if it looks like a path
// of this repository.
func (r *tree) wrongReference(text string) string {
	m := pathLike.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	name, symbol := strings.TrimSuffix(m[1], "/"), m[2]
	if !r.looksOurs(name, symbol) {
		return ""
	}
	if !r.exists(name) {
		return "there is no " + name
	}
	if symbol != "" && !r.declares(name, symbol) {
		return name + " declares no " + symbol
	}
	return ""
}

// looksOurs: it begins with a folder of ours, or is a Go file or one of the documents
// at the root.
func (r *tree) looksOurs(name, symbol string) bool {
	first, _, nested := strings.Cut(name, "/")
	ourFolder := slices.ContainsFunc(layers, func(l layer) bool {
		top, _, _ := strings.Cut(l.folder, "/")
		return top == first
	})
	switch {
	case nested:
		return ourFolder
	case symbol != "":
		return ourFolder || path.Ext(name) == ".go"
	default:
		return path.Ext(name) == ".go" || capitals.MatchString(name)
	}
}

func (r *tree) exists(name string) bool {
	matches, err := filepath.Glob(filepath.Join(r.root, filepath.FromSlash(name)))
	if err == nil && len(matches) > 0 {
		return true
	}
	// A bare file name may be any package's.
	return path.Ext(name) == ".go" && !strings.Contains(name, "/") && slices.ContainsFunc(r.packages, func(p *goPackage) bool {
		return slices.ContainsFunc(p.files, func(f *sourceFile) bool { return path.Base(f.path) == name })
	})
}

func (r *tree) declares(name, symbol string) bool {
	owner, member, isMember := strings.Cut(symbol, ".")
	return slices.ContainsFunc(r.packages, func(p *goPackage) bool {
		if p.folder == name {
			return p.declares(symbol)
		}
		return slices.ContainsFunc(p.files, func(f *sourceFile) bool {
			return (f.path == name || path.Base(f.path) == name) && f.declares(owner, member, isMember)
		})
	})
}

func TestReferences(t *testing.T) {
	r := repository(t)
	for _, c := range []struct {
		text string
		good bool
	}{
		{"model/verify.go", true}, {"model/verify.go:Verify", true}, {"model:Operator.Inputs", true}, {"model:Operator.Properties", true},
		{"stream/", true}, {"model/*.go", true}, {"SELECT a / b", true}, {"text/plain", true}, {"--workers N", true},
		{"model/gone.go", false}, {"model/verify.go:Gone", false}, {"model:Operator.Gone", false}, {"engine/gone", false}, {"gone.go", false},
	} {
		if got := r.wrongReference(c.text) == ""; got != c.good {
			t.Errorf("%q: good %v", c.text, got)
		}
	}
}
