package connector

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	partPrefix  = "part-"
	inProgress  = ".inprogress"
	partIDBytes = 4

	lockTriesMax = 100
)

// partName is what a part is called: part-5f3a9c01-6.csv.gz.
func partName(id string, number int64, extension string) string {
	return partPrefix + id + "-" + strconv.FormatInt(number, 10) + extension
}

// parsePart takes partName apart. A file that is called in any other way, such as
// part-5f3a9c01-6.csv.bak, is none of a sink's.
func parsePart(name string) (id string, number int64, ok bool) {
	rest, ok := strings.CutPrefix(name, partPrefix)
	id, rest, found := strings.Cut(rest, "-")
	if !ok || !found || !isPartID(id) {
		return "", 0, false
	}
	digits, ending, _ := strings.Cut(rest, ".")
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || digits != strconv.FormatInt(number, 10) || number < 0 {
		return "", 0, false
	}
	format, packed, _ := strings.Cut(ending, ".")
	switch format {
	case FormatCSV, FormatNDJSON:
		ok = ending == format || packed == "gz" || packed == "zst"
	case FormatParquet, FormatArrow, FormatAvro:
		ok = ending == format
	default:
		ok = false
	}
	return id, number, ok
}

func newPartID() string {
	var id [partIDBytes]byte
	_, _ = rand.Read(id[:]) // it does not fail
	return hex.EncodeToString(id[:])
}

func isPartID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == partIDBytes && id == strings.ToLower(id)
}

// drawPartID draws a job's number, one that no part in a folder has: parts of the same
// number are the same job's, which may take them back.
func drawPartID(root string) (string, error) {
	for {
		id, taken := newPartID(), false
		err := eachFile(root, func(_, name string) error {
			of, _, ok := parsePart(strings.TrimSuffix(strings.TrimPrefix(name, "."), inProgress))
			taken = taken || ok && of == id
			return nil
		})
		if err != nil || !taken {
			return id, err
		}
	}
}

// partFile is a file in progress.
type partFile struct {
	folder, final, hidden string
	sink                  Sink
	encoder               Encoder
	lock                  *os.File
	begun, last           time.Time
	used                  int64
}

// createLocked makes a file and locks it before anybody who clears up can. Where there are
// no locks nobody clears up, and it goes without.
func createLocked(path string) (f *os.File, err error) {
	for range lockTriesMax {
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644); err != nil {
			return nil, writeError(path, err)
		}
		locked := tryLock(f)
		own, err := f.Stat()
		if err != nil {
			_ = f.Close()
			return nil, writeError(path, err)
		}
		if there, err := os.Stat(path); locked && err == nil && os.SameFile(own, there) {
			return f, nil
		}
		_ = f.Close()
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
}

// discard removes a part that is not to be seen.
func (p *partFile) discard() {
	if p.sink != nil {
		p.sink.Abort()
	}
	_ = os.Remove(p.hidden)
	_ = p.lock.Close()
}

// publish gives a part its name, unless another file has it: a second job that goes on from
// the same state may have written one, or a program that is not ours. A link is made and
// the hidden name taken away, since renaming would replace the other file. File systems
// without links get a look in between.
func publish(hidden, final string) error {
	err := os.Link(hidden, final)
	if err == nil {
		return removeFile(hidden)
	}
	if !errors.Is(err, fs.ErrExist) {
		if _, err = os.Lstat(final); errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(hidden, final)
		} else if err == nil {
			err = fs.ErrExist
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot write %s: a file of this name is there, which this job has not written; does another one go on from the same state?", final)
	}
	if err != nil {
		return writeError(final, err)
	}
	return nil
}

func writeSuccess(folder string) error {
	path := filepath.Join(folder, successFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return writeError(path, err)
	}
	syncFolder(folder)
	return nil
}

func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove %s: %w", path, cause(err))
	}
	return nil
}

// eachFile visits the files of a folder and of those below it that are called column=value,
// as readers do: also where such a folder is a link to another one.
func eachFile(folder string, visit func(path, name string) error) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", folder, cause(err))
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		inner := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			inner = err == nil && info.IsDir()
		}
		if inner {
			if strings.IndexByte(e.Name(), '=') > 0 {
				err = eachFile(path, visit)
			}
		} else {
			err = visit(path, e.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// removeDead removes what jobs that have died left in progress.
func removeDead(root string) error {
	return eachFile(root, func(path, name string) error {
		if name, ok := strings.CutSuffix(name, inProgress); !ok || !strings.HasPrefix(name, ".") {
			return nil
		} else if _, _, ok := parsePart(name[1:]); !ok {
			return nil
		}
		if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil { // else it is gone, or another user's
			defer f.Close()
			if tryLock(f) {
				return removeFile(path)
			}
		}
		return nil
	})
}
