package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace/millrace/state"
)

// watched is a folder or glob whose files are read as they appear. It is looked at when
// its reader has nothing left and at most once in an interval; the new files of a look
// are read in name order, behind those of earlier looks.
//
// A file is taken for whole as soon as its name is a finished one (see unfinished): it is
// to be put there by renaming. A file that is no longer the same after it was read, in
// size or time of modification, is not read again, but counted.
//
// Invariants:
//
//  1. File i of the reader's positions is numbered i for good; recent holds the paths of
//     those from first on, known those of all that are still in the folder.
//  2. A file that was taken and is gone is forgotten when a look no longer finds it; under
//     the same name it is a new one then. So what is remembered is bounded by what the
//     folder holds.
type watched struct {
	search   searched
	wanted   func(path string) (bool, error)
	interval time.Duration
	log      *slog.Logger
	changed  atomic.Int64

	mu     sync.Mutex
	looked time.Time
	known  map[string]*knownFile
	first  int
	recent []string
	ahead  int // number of the next file to be read
	warned []string
}

// knownFile is a file that was taken.
type knownFile struct {
	number   int // left out: -1
	finished bool
	end      int64 // offset of its position then
	size     int64 // as it was when it had been read
	modified int64
}

const (
	// WatchedFilesMax is how many files a folder may hold that is watched. With more the job
	// fails: all of them are remembered.
	WatchedFilesMax  = 1 << 20
	watchIntervalMin = 10 * time.Millisecond
	recentFilesMax   = 8192 // whose paths are kept behind the reader: more than blocks on their way
)

func newWatched(t textOptions, wanted func(string) (bool, error), log *slog.Logger) *watched {
	return &watched{search: t.search(), wanted: wanted, interval: t.watch, log: log, known: map[string]*knownFile{}}
}

// path implements fileList.
func (w *watched) path(ctx context.Context, i int) (string, error) {
	for {
		wait, path, err := w.try(i)
		if path != "" || err != nil {
			return path, err
		}
		if err := sleep(ctx, wait); err != nil {
			return "", err
		}
	}
}

// try finds file i, or says how long to wait for the next look.
func (w *watched) try(i int) (wait time.Duration, path string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead = i
	if drop := i - w.first - recentFilesMax; drop > 0 {
		w.recent, w.first = slices.Delete(w.recent, 0, drop), w.first+drop
	}
	if i >= w.first+len(w.recent) {
		if wait = w.interval - time.Since(w.looked); wait > 0 && !w.looked.IsZero() {
			return wait, "", nil
		}
		if err = w.look(); err != nil {
			return 0, "", err
		}
	}
	if i >= w.first+len(w.recent) {
		return w.interval, "", nil
	}
	return 0, w.recent[i-w.first], nil
}

// look finds new files and those that have changed or gone. w.mu is held.
func (w *watched) look() error {
	files, err := w.search.find()
	w.looked = time.Now()
	if err != nil {
		return err
	}
	if len(files) > WatchedFilesMax {
		return fmt.Errorf("%s holds %d files, and at most %d can be watched; move away those that have been read", w.search.path, len(files), WatchedFilesMax)
	}
	there := make(map[string]bool, len(files))
	for _, f := range files {
		info, err := os.Stat(f)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", f, cause(err))
		}
		there[f] = true
		if k := w.known[f]; k != nil {
			w.compare(f, k, info)
			continue
		}
		ok, err := w.wanted(f)
		if err != nil {
			return err
		}
		k := &knownFile{number: -1, finished: true, size: info.Size(), modified: info.ModTime().UnixNano()}
		if ok {
			k.number, k.finished = w.first+len(w.recent), false
			w.recent = append(w.recent, f)
		}
		w.known[f] = k
	}
	for f, k := range w.known {
		if !there[f] && k.finished {
			delete(w.known, f)
		}
	}
	return nil
}

const changedNote = "%s has changed since it was read, and is not read again: files must be put into a watched folder by renaming"

// compare tells of a file that is no longer what was read.
func (w *watched) compare(path string, k *knownFile, info fs.FileInfo) {
	size, modified := info.Size(), info.ModTime().UnixNano()
	if !k.finished || k.size == size && k.modified == modified {
		return
	}
	k.size, k.modified = size, modified
	w.changed.Add(1)
	note := fmt.Sprintf(changedNote, path)
	if len(w.warned) < warningsMax && !slices.Contains(w.warned, note) {
		w.warned = append(w.warned, note)
	}
	if w.log != nil {
		w.log.Warn("a watched file has changed", "file", path, "bytes", size)
	}
}

// finished implements fileList. What the file is now is what was read.
func (w *watched) finished(at Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	path := w.recent[at.File-w.first]
	k := w.known[path]
	if k == nil || k.number != at.File {
		return
	}
	k.finished, k.end = true, at.Offset
	if info, err := os.Stat(path); err == nil {
		k.size, k.modified = info.Size(), info.ModTime().UnixNano()
	}
}

// size implements fileList.
func (w *watched) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first + len(w.recent)
}

func (w *watched) notes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.warned)
}

// Remembering is a Source whose positions mean something only together with what it
// remembers. Remember and Recall are called where a state.Element's methods would be,
// before the positions are written and after they were read; Remember may move a position
// to an equal one.
type Remembering interface {
	Source
	Remember(w *state.Writer, places []Position)
	Recall(r *state.Reader, places []Position) error
}

// Remember implements Remembering.
func (l *fileLists) Remember(w *state.Writer, places []Position) {
	w.Bool(l.watch != nil)
	if l.watch != nil {
		l.watch.remember(w, &places[0])
	}
}

// Recall implements Remembering.
func (l *fileLists) Recall(r *state.Reader, places []Position) error {
	if r.Bool() != (l.watch != nil) && r.Err() == nil {
		return errors.New("the snapshot is of files that were watched, or were not")
	}
	if l.watch != nil {
		l.watch.recall(r, places[0])
	}
	return r.End()
}

// remember writes the files that were read, and the one that was begun. The reader may be
// ahead of the position.
func (w *watched) remember(out *state.Writer, at *Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var begun string
	if i := at.File - w.first; i >= 0 && i < len(w.recent) {
		begun = w.recent[i]
	}
	if k := w.known[begun]; k != nil && k.number == at.File && k.finished && k.end == at.Offset {
		*at, begun = Position{File: at.File + 1}, ""
	}
	if at.Offset == 0 {
		begun = "" // it is found again
	}
	out.Text(begun)
	var read []string
	for f, k := range w.known {
		if k.number < at.File && k.finished {
			read = append(read, f)
		}
	}
	slices.Sort(read)
	out.Int(int64(len(read)))
	for _, f := range read {
		out.Text(f)
		out.Int(w.known[f].size)
		out.Int(w.known[f].modified)
	}
}

const knownFileBytes = 3 // at least, in a snapshot

func (w *watched) recall(r *state.Reader, at Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first, w.recent = at.File, nil
	if begun := r.Text(); begun != "" {
		w.recent = []string{begun}
		w.known[begun] = &knownFile{number: at.File}
	}
	for n := r.Count(knownFileBytes); n > 0; n-- {
		f := r.Text()
		w.known[f] = &knownFile{number: -1, finished: true, size: r.Int(), modified: r.Int()}
	}
}
