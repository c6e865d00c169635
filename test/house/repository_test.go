package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/millrace/millrace"

// sourceFile is a parsed Go file; path is from the root of the repository.
type sourceFile struct {
	path      string
	test      bool
	generated bool
	text      []byte
	imports   []string
	syntax    *ast.File
	set       *token.FileSet
}

// goPackage is a folder with Go files.
type goPackage struct {
	folder string
	files  []*sourceFile
}

type tree struct {
	root     string
	packages []*goPackage
	folders  []string // all of them, testdata left out
}

var load = sync.OnceValues(func() (*tree, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	r := &tree{root: root}
	byFolder := map[string]*goPackage{}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != "." && (base[0] == '.' || base == "testdata" || base == "node_modules") {
				return fs.SkipDir
			}
			r.folders = append(r.folders, name)
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		f, err := parseFile(root, name)
		if err != nil {
			return err
		}
		folder := path.Dir(name)
		if byFolder[folder] == nil {
			byFolder[folder] = &goPackage{folder: folder}
			r.packages = append(r.packages, byFolder[folder])
		}
		byFolder[folder].files = append(byFolder[folder].files, f)
		return nil
	})
	return r, err
})

// repository reads the whole repository once.
func repository(t *testing.T) *tree {
	t.Helper()
	r, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(r.packages) < 5 {
		t.Fatalf("only %d packages found from %s: the test looks in the wrong place", len(r.packages), r.root)
	}
	return r
}

func parseFile(root, name string) (*sourceFile, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	f := &sourceFile{path: name, test: strings.HasSuffix(name, "_test.go"), text: text, set: token.NewFileSet()}
	f.syntax, err = parser.ParseFile(f.set, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	f.generated = ast.IsGenerated(f.syntax)
	for _, i := range f.syntax.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return nil, err
		}
		f.imports = append(f.imports, p)
	}
	return f, nil
}

// declares reports whether the package has a declaration of the name: Func, Type,
// Const, Var, Type.Method or Type.Field.
func (p *goPackage) declares(symbol string) bool {
	owner, member, isMember := strings.Cut(symbol, ".")
	return slices.ContainsFunc(p.files, func(f *sourceFile) bool { return f.declares(owner, member, isMember) })
}

func (f *sourceFile) declares(owner, member string, isMember bool) bool {
	for _, d := range f.syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			receiver := receiverName(d)
			if !isMember && d.Name.Name == owner || isMember && receiver == owner && d.Name.Name == member {
				return true
			}
		case *ast.GenDecl:
			if slices.ContainsFunc(d.Specs, func(s ast.Spec) bool { return specDeclares(s, owner, member, isMember) }) {
				return true
			}
		}
	}
	return false
}

func specDeclares(s ast.Spec, owner, member string, isMember bool) bool {
	switch s := s.(type) {
	case *ast.ValueSpec:
		return !isMember && slices.ContainsFunc(s.Names, func(n *ast.Ident) bool { return n.Name == owner })
	case *ast.TypeSpec:
		if s.Name.Name != owner {
			return false
		}
		return !isMember || hasMember(s.Type, member)
	}
	return false
}

func hasMember(typ ast.Expr, member string) bool {
	var fields *ast.FieldList
	switch t := typ.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return false
	}
	return slices.ContainsFunc(fields.List, func(f *ast.Field) bool {
		return slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.Name == member })
	})
}

func receiverName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
