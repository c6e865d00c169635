package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

const stdinName = "<stdin>" // in messages

func newFileSource(name string, src *model.Source, schema *stream.Schema, t textOptions, partitions [][]string, reading Reading, env Env) (Source, error) {
	lists, err := newFileLists(t, partitions, src, schema, reading, env)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	switch t.format {
	case FormatParquet:
		return newParquetSource(name, src, schema, t, lists, reading, env), nil
	case FormatArrow:
		return newArrowSource(name, src, schema, lists, env), nil
	case FormatAvro:
		return newAvroSource(name, src, schema, lists), nil
	}
	s := newTextSource(src, name, schema, t, env)
	s.fileLists, s.live = lists, t.follow || lists.watched()
	s.bounded = !s.live
	s.bytesTotal = sizeOf(partitions, t)
	for _, files := range partitions {
		s.live = s.live || slices.ContainsFunc(files, isPipe)
	}
	s.openInput = func(ctx context.Context, file string) (input, error) {
		switch {
		case t.follow:
			return openFollowed(file)
		case isPipe(file):
			return openPipe(ctx, file, t.compression)
		}
		return openFile(file, t.compression)
	}
	return s, nil
}

// isPipe reports whether a name is that of a pipe or a device: its bytes may be long in
// coming.
func isPipe(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) != 0
}

func openPipe(ctx context.Context, name, compression string) (input, error) {
	f, err := openWithoutWaiting(name)
	if err != nil {
		return nil, err
	}
	in, err := newWaitingInput(ctx, name, newWaitingReader(f), f, compression)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return in, nil
}

func (o *optionSet) takeStdin() textOptions { return o.takeText(FormatNDJSON, textFormats) }

// newStdinSource reads standard input as one file, which a job can do once. A restored
// job must be given the same input again, from its start.
func newStdinSource(name string, src *model.Source, schema *stream.Schema, t textOptions, env Env) Source {
	s := newTextSource(src, name, schema, t, env)
	s.lists, s.bounded = []fileList{fixedFiles{stdinName}}, true
	waiting := newWaitingReader(env.Stdin)
	s.live = waiting.live()
	used := false
	s.openInput = func(ctx context.Context, _ string) (input, error) {
		if used || env.Stdin == nil {
			return nil, errors.New("standard input can be read by one stream only, and once")
		}
		used = true
		return newWaitingInput(ctx, stdinName, waiting, nil, t.compression)
	}
	return s
}

// waitingInput is standard input or a pipe, which may pause.
type waitingInput struct {
	*streamInput
	waiting *waitingReader
}

// newWaitingInput looks at the first bytes, for which it waits until ctx is done.
func newWaitingInput(ctx context.Context, name string, waiting *waitingReader, closer io.Closer, compression string) (input, error) {
	waiting.ctx = ctx
	stop := waiting.closeWhenDone(ctx)
	defer stop()
	in, err := newStreamInput(name, waiting, closer, compression, compressionByName(name))
	if err != nil {
		return nil, err
	}
	return &waitingInput{streamInput: in, waiting: waiting}, nil
}

func (in *waitingInput) Read(ctx context.Context, p []byte) (int, error) {
	in.waiting.ctx = ctx
	stop := in.waiting.closeWhenDone(ctx)
	defer stop()
	n, err := in.streamInput.Read(ctx, p)
	if n == 0 && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return n, err
}

func (in *waitingInput) Skip(ctx context.Context, n int64) error { return skipByReading(ctx, in, n) }

func (in *waitingInput) Ready() bool { return in.waiting.ready(0) }

// waitingReader waits for bytes in short turns, so that a done context is seen. A
// reader that is not a file cannot be waited for; if it can be closed, a done context
// closes it.
type waitingReader struct {
	reader io.Reader
	file   *os.File
	ctx    context.Context
}

func newWaitingReader(r io.Reader) *waitingReader {
	f, _ := r.(*os.File)
	return &waitingReader{reader: r, file: f, ctx: context.Background()}
}

// live is false for a plain file as standard input.
func (w *waitingReader) live() bool {
	if w.file == nil {
		return true
	}
	info, err := w.file.Stat()
	return err != nil || !info.Mode().IsRegular()
}

func (w *waitingReader) Read(p []byte) (int, error) {
	for !w.ready(followPoll) {
		if err := w.ctx.Err(); err != nil {
			return 0, err
		}
	}
	return w.reader.Read(p)
}

func (w *waitingReader) closeWhenDone(ctx context.Context) (stop func() bool) {
	if closer, ok := w.reader.(io.Closer); ok && w.file == nil {
		return context.AfterFunc(ctx, func() { closer.Close() })
	}
	return func() bool { return true }
}
