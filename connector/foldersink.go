package connector

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

// folderSink writes a folder of files, its parts: one after another, or with keys as many
// side by side as there are values of the columns.
//
//	root/day=2026-01-01/.part-5f3a9c01-7.csv.inprogress   being written, locked
//	root/day=2026-01-01/part-5f3a9c01-6.csv               committed: whole, for good
//
// The number in the middle is drawn once, such that no part in the folder has it, and stays
// with the job through all of its restarts; the last one counts the parts of all folders
// together.
//
// Invariants:
//
//  1. A name that readers look at (see unfinished) is only ever given to a whole file that
//     has reached the disk, and never taken from another file (see publish).
//  2. A snapshot is taken when nothing is in progress: everything written before it is in
//     parts below next, everything after it will be in others. A job that goes on from it
//     takes back the parts from next on, which a job that died may have committed since,
//     and no file that is called otherwise than a part is.
//  3. What is in progress is locked by the process that writes it. What is not locked was
//     left by a dead one, whichever it was, and may be removed.
//  4. mu guards everything: ages are looked at by a goroutine of the sink's own.
type folderSink struct {
	options sinkOptions
	schema  *stream.Schema
	inside  []int // columns in the files
	keys    []int // columns in the names of folders
	stop    chan struct{}
	stopped sync.WaitGroup

	mu       sync.Mutex
	id       string
	next     int64
	open     map[string]*partFile
	folders  map[string]bool // that got parts, if _SUCCESS is wanted
	snapped  bool
	closed   bool
	err      error
	clock    int64 // counts writes, for the order of use
	name     []byte
	text     []byte
	selected map[string][]int32
	order    []string // of selected
	gathered *stream.Batch
}

const (
	// OpenPartsMax is how many files a sink writes at a time. With one more, the part that has
	// had no row for longest is committed.
	OpenPartsMax = 64
	// SuccessFoldersMax is how many folders may get a file _SUCCESS from one job.
	SuccessFoldersMax = 1 << 20

	successFile = "_SUCCESS"
)

func openFolderSink(t sinkOptions, schema *stream.Schema, visible []int) (Sink, error) {
	s := &folderSink{options: t, schema: schema, stop: make(chan struct{}), open: map[string]*partFile{}, folders: map[string]bool{}, selected: map[string][]int32{}}
	for _, k := range t.folder.keys {
		i := slices.IndexFunc(visible, func(i int) bool { return schema.Fields[i].Name == k })
		if i < 0 {
			return nil, fmt.Errorf("%s: PARTITIONED BY: there is no column %q", t.path, k)
		}
		s.keys = append(s.keys, visible[i])
	}
	s.inside = slices.DeleteFunc(slices.Clone(visible), func(i int) bool { return slices.Contains(s.keys, i) })
	if !t.text() {
		if _, err := t.columnWriter(discardWriter{}, schema, s.inside); err != nil {
			return nil, fmt.Errorf("%s: %w", t.path, err)
		}
	}
	if err := makeFolders(t.path, ""); err != nil {
		return nil, err
	}
	if err := removeDead(t.path); err != nil {
		return nil, err
	}
	var err error
	if s.id, err = drawPartID(t.path); err != nil {
		return nil, err
	}
	s.stopped.Add(1)
	go s.watchAges()
	return s, nil
}

// discardWriter is io.Discard without ReadFrom.
type discardWriter struct{}

func (discardWriter) Write(p []byte) (int, error) { return len(p), nil }

// WriteBatch implements BatchSink.
func (s *folderSink) WriteBatch(b *stream.Batch, from, to int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.closed {
		return errors.Join(s.err, s.whenClosed())
	}
	if b.Base != 0 {
		span := stream.Span{Batch: b, From: from, To: to}.Settled()
		b, from, to = span.Batch, span.From, span.To
	}
	if len(s.keys) == 0 {
		return s.write("", b, from, to)
	}
	s.split(b, from, to)
	for _, folder := range s.order {
		rows := s.selected[folder]
		if len(rows) == to-from { // all of them, in order
			if err := s.write(folder, b, from, to); err != nil {
				return err
			}
			continue
		}
		s.gathered = stream.NewBatch(s.schema, s.needed())
		s.gathered.AppendSelected(b, rows)
		if err := s.write(folder, s.gathered, 0, s.gathered.Len); err != nil {
			return err
		}
	}
	return nil
}

func (s *folderSink) whenClosed() error {
	if s.closed {
		return fmt.Errorf("cannot write %s: %w", s.options.path, os.ErrClosed)
	}
	return nil
}

// needed are the columns in the files.
func (s *folderSink) needed() []bool {
	need := make([]bool, s.schema.Len())
	for _, i := range s.inside {
		need[i] = true
	}
	return need
}

// split sorts rows by their folders, in the order in which the folders first come.
func (s *folderSink) split(b *stream.Batch, from, to int) {
	clear(s.selected)
	s.order = s.order[:0]
	var last string
	for row := from; row < to; row++ {
		s.name = s.name[:0]
		for k, i := range s.keys {
			if k > 0 {
				s.name = append(s.name, '/')
			}
			s.name, s.text = appendFolder(s.name, s.options.folder.keys[k], &b.Cols[i], row, s.text)
		}
		if string(s.name) != last || row == from {
			last = string(s.name)
		}
		if _, ok := s.selected[last]; !ok {
			s.order = append(s.order, last)
		}
		s.selected[last] = append(s.selected[last], int32(row))
	}
}

// write appends rows to a folder's part, and commits it if it is large enough. s.mu is held.
func (s *folderSink) write(folder string, b *stream.Batch, from, to int) error {
	p := s.open[folder]
	if p == nil {
		if err := s.room(); err != nil {
			return err
		}
		var err error
		if p, err = s.begin(folder); err != nil {
			return s.failed(err)
		}
	}
	s.clock++
	p.used, p.last = s.clock, time.Now()
	var err error
	switch sink := p.sink.(type) {
	case ByteSink:
		s.text = p.encoder.Encode(s.text[:0], b, from, to)
		err = sink.Write(s.text)
	case BatchSink:
		err = sink.WriteBatch(b, from, to)
	}
	if err != nil {
		return s.failed(err)
	}
	if info, err := os.Stat(p.hidden); err != nil {
		return s.failed(writeError(p.hidden, err))
	} else if info.Size() >= s.options.folder.rollSize {
		return s.commit(p)
	}
	return nil
}

func (s *folderSink) failed(err error) error {
	if s.err == nil {
		s.err = err
	}
	return s.err
}

// room commits the part that was used least recently if too many are open.
func (s *folderSink) room() error {
	if len(s.open) < OpenPartsMax {
		return nil
	}
	var oldest *partFile
	for _, p := range s.open {
		if oldest == nil || p.used < oldest.used {
			oldest = p
		}
	}
	return s.commit(oldest)
}

// begin opens the next part of a folder.
func (s *folderSink) begin(folder string) (*partFile, error) {
	if err := makeFolders(s.options.path, folder); err != nil {
		return nil, err
	}
	name := partName(s.id, s.next, s.options.extension())
	dir := filepath.Join(s.options.path, folder)
	p := &partFile{folder: folder, final: filepath.Join(dir, name), hidden: filepath.Join(dir, "."+name+inProgress), begun: time.Now()}
	var err error
	if p.lock, err = createLocked(p.hidden); err != nil {
		return nil, err
	}
	t := s.options
	t.path, t.folder = p.hidden, nil
	if t.text() {
		p.sink, err = openFileSink(t, s.schema, s.inside)
	} else {
		p.sink, err = openColumnSink(t, s.schema, s.inside)
	}
	if err != nil {
		p.discard()
		return nil, err
	}
	if bytes, ok := p.sink.(ByteSink); ok {
		p.encoder = bytes.NewEncoder()
	}
	s.next++
	s.open[folder] = p
	return p, nil
}

// commit finishes a part and gives it its name. s.mu is held.
func (s *folderSink) commit(p *partFile) error {
	delete(s.open, p.folder)
	err := p.sink.Close()
	if err == nil {
		err = publish(p.hidden, p.final)
	}
	if err != nil {
		p.discard()
		return s.failed(err)
	}
	_ = p.lock.Close()
	syncFolder(filepath.Dir(p.final))
	if s.options.folder.success {
		if s.folders[p.folder] = true; len(s.folders) > SuccessFoldersMax {
			return s.failed(fmt.Errorf("%s: more than %d folders would get a file %s", s.options.path, SuccessFoldersMax, successFile))
		}
	}
	return nil
}

// commitAll commits what is open, oldest first.
func (s *folderSink) commitAll() error {
	parts := make([]*partFile, 0, len(s.open))
	for _, p := range s.open {
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b *partFile) int { return a.begun.Compare(b.begun) })
	for _, p := range parts {
		if err := s.commit(p); err != nil {
			return err
		}
	}
	return s.err
}

// watchAges commits parts that are old enough until the sink is closed.
func (s *folderSink) watchAges() {
	defer s.stopped.Done()
	f := s.options.folder
	tick := time.NewTicker(min(f.check, f.rollAge, f.rollIdle))
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			s.mu.Lock()
			for _, p := range s.open {
				if s.err == nil && (now.Sub(p.begun) >= f.rollAge || now.Sub(p.last) >= f.rollIdle) {
					_ = s.commit(p) // the next call returns the error
				}
			}
			s.mu.Unlock()
		}
	}
}

// Flush implements BatchSink: rows are seen when their part is committed.
func (s *folderSink) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close implements Sink.
func (s *folderSink) Close() error {
	if s.end() {
		return s.err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.err
	if err == nil {
		err = s.commitAll()
	}
	if err == nil && s.options.folder.success && !s.snapped {
		for folder := range s.folders {
			err = errors.Join(err, writeSuccess(filepath.Join(s.options.path, folder)))
		}
		s.err = err
	}
	for _, p := range s.open {
		p.discard()
	}
	clear(s.open)
	return err
}

// end stops the goroutine; true: it was stopped before.
func (s *folderSink) end() bool {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if !was {
		close(s.stop)
		s.stopped.Wait()
	}
	return was
}

// Abort implements Sink: what is not committed is removed.
func (s *folderSink) Abort() {
	if s.end() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.open {
		p.discard()
	}
	clear(s.open)
}

// Snapshot implements state.Element: everything so far is committed.
func (s *folderSink) Snapshot(w *state.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		_ = s.commitAll() // a failure is kept and comes back from the next call
	}
	s.snapped = true
	w.Text(s.id)
	w.Int(s.next)
	folders := sortedKeys(s.folders)
	w.Int(int64(len(folders)))
	for _, f := range folders {
		w.Text(f)
	}
}

// Restore implements state.Element: parts that were committed since are taken back.
func (s *folderSink) Restore(r *state.Reader) error {
	id, next := r.Text(), r.Int()
	folders := map[string]bool{}
	for n := r.Count(1); n > 0; n-- {
		folders[r.Text()] = true
	}
	if err := r.End(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.next, s.folders = id, next, folders
	return eachFile(s.options.path, func(path, name string) error {
		if of, number, ok := parsePart(name); !ok || of != id || number < next {
			return nil
		}
		return errors.Join(removeFile(path), removeFile(filepath.Join(filepath.Dir(path), successFile)))
	})
}
