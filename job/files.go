package job

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/model"
)

// File is a file that a plan reads or writes.
type File struct {
	Stream  string // whose it is
	Path    string // as the script has it; a glob's match
	Written bool
}

// Is reports whether path is the same regular file, by this or another name. Devices
// and pipes are never the same: several may share them.
func (f File) Is(path string) bool {
	info, err := os.Stat(path)
	if err == nil {
		return f.IsOpen(info)
	}
	a, errA := filepath.Abs(f.Path)
	b, errB := filepath.Abs(path)
	return errA == nil && errB == nil && a == b
}

// IsOpen is Is for a file that is open already.
func (f File) IsOpen(info fs.FileInfo) bool {
	own, err := os.Stat(f.Path)
	return err == nil && own.Mode().IsRegular() && os.SameFile(own, info)
}

func (f File) String() string {
	if f.Written {
		return fmt.Sprintf("%s, which is written by stream %s", f.Path, f.Stream)
	}
	return fmt.Sprintf("%s, which is read as stream %s", f.Path, f.Stream)
}

// Files are the files that the plan's sources and sinks use, as they are found now.
func (p *Plan) Files() []File { return files(p.model) }

func files(m *model.Model) []File {
	var out []File
	for _, op := range m.Ops {
		switch op.Kind {
		case model.SourceOp:
			for _, path := range connector.SourceFiles(op.Source) {
				out = append(out, File{Stream: op.Name, Path: path})
			}
		case model.SinkOp:
			if path := connector.SinkFile(op.Sink); path != "" {
				out = append(out, File{Stream: op.Name, Path: path, Written: true})
			}
		}
	}
	return out
}

// checkShared refuses a model that would write over a file which it also reads or writes
// elsewhere, or that reads standard input twice: rows would be lost.
func checkShared(m *model.Model) error {
	seen := files(m)
	for i, f := range seen {
		for k, other := range seen {
			if !f.Written || k == i || other.Written && k > i || !other.Is(f.Path) {
				continue
			}
			if other.Written {
				return fmt.Errorf("two INSERT INTO write %s; write SELECT .. UNION ALL SELECT .. in one, or name another file", f.Path)
			}
			return fmt.Errorf("INSERT INTO cannot write %s; name another file", other)
		}
	}
	if err := checkFed(m); err != nil {
		return err
	}
	if names := readersOfStdin(m); len(names) > 1 {
		return fmt.Errorf("streams %s and %s both read standard input, which can be read once; use one stream for both", names[0], names[1])
	}
	return nil
}

// checkFed refuses a model that watches a folder into which it writes: it would read its
// own rows without end.
func checkFed(m *model.Model) error {
	for _, sink := range m.Ops {
		if sink.Kind != model.SinkOp {
			continue
		}
		folder := connector.SinkFolder(sink.Sink)
		for _, src := range m.Ops {
			if folder != "" && src.Kind == model.SourceOp && sameFolder(folder, connector.WatchedFolder(src.Source)) {
				return fmt.Errorf("INSERT INTO cannot write to %s, which stream %s watches: it would read its own rows; name another folder", folder, src.Name)
			}
		}
	}
	return nil
}

func sameFolder(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// ReadsStdin reports whether a source of the plan is standard input.
func (p *Plan) ReadsStdin() bool { return len(readersOfStdin(p.model)) > 0 }

func readersOfStdin(m *model.Model) (names []string) {
	for _, op := range m.Ops {
		if op.Kind == model.SourceOp && connector.IsStdin(op.Source) {
			names = append(names, op.Name)
		}
	}
	return names
}
