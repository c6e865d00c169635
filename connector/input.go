package connector

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// input is the bytes of one file, read from one goroutine.
type input interface {
	// Read fills a part of p. On a live input it waits for bytes until ctx is done.
	Read(ctx context.Context, p []byte) (int, error)
	// Ready reports whether Read would return at once; always true for plain files.
	Ready() bool
	// Skip moves n bytes ahead of where reading stands.
	Skip(ctx context.Context, n int64) error
	Close() error
}

// Compressions of a file's content.
const (
	compressAuto = "auto" // by the file's first bytes; an extension .gz or .zst must hold what it says
	compressNone = "none"
	compressGzip = "gzip"
	compressZstd = "zstd"
)

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

const zstdWindowBytesMax = 128 << 20 // a stream that needs a larger window is refused

// compressionByName returns what a file name's extension promises, or "".
func compressionByName(name string) string {
	switch {
	case strings.HasSuffix(strings.ToLower(name), ".gz"):
		return compressGzip
	case strings.HasSuffix(strings.ToLower(name), ".zst"):
		return compressZstd
	}
	return ""
}

// streamInput reads a file or another byte stream, decompressing it.
type streamInput struct {
	name   string
	reader io.Reader
	seeker io.Seeker // only if uncompressed
	close  []func() error
	kind   string
}

// openFile opens a file of the given compression.
func openFile(name, compression string) (input, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	in, err := newStreamInput(name, f, f, compression, compressionByName(name))
	if err != nil {
		f.Close()
		return nil, err
	}
	return in, nil
}

func newStreamInput(name string, r io.Reader, closer io.Closer, compression, promised string) (*streamInput, error) {
	in := &streamInput{name: name, reader: r, kind: compression}
	if closer != nil {
		in.close = append(in.close, closer.Close)
	}
	if compression == compressAuto {
		head := bufio.NewReader(r)
		if seeker, ok := r.(io.Seeker); ok {
			in.kind = sniff(head)
			if _, err := seeker.Seek(0, io.SeekStart); err != nil {
				in.reader = head // a pipe: what was peeked at stays in head
			} else if in.kind == compressNone {
				in.seeker = seeker
			}
		} else {
			in.kind, in.reader = sniff(head), head
		}
		if promised != "" && in.kind == compressNone {
			if in.kind = promised; head.Buffered() > 0 {
				return nil, in.explain(gzip.ErrHeader)
			}
		}
	} else if seeker, ok := r.(io.Seeker); ok && compression == compressNone {
		in.seeker = seeker
	}
	return in, in.decompress()
}

func sniff(r *bufio.Reader) string {
	// One byte decides in most cases; a slow input has no more for now.
	if head, _ := r.Peek(1); len(head) == 0 || head[0] != gzipMagic[0] && head[0] != zstdMagic[0] {
		return compressNone
	}
	head, _ := r.Peek(len(zstdMagic))
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		return compressGzip
	case bytes.HasPrefix(head, zstdMagic):
		return compressZstd
	}
	return compressNone
}

func (in *streamInput) decompress() error {
	switch in.kind {
	case compressGzip:
		z, err := gzip.NewReader(in.reader)
		if err == io.EOF {
			in.reader = bytes.NewReader(nil) // an empty file holds no rows, packed or not
			return nil
		}
		if err != nil {
			return in.explain(err)
		}
		in.reader, in.close = z, append(in.close, z.Close)
	case compressZstd:
		z, err := zstd.NewReader(in.reader, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindowBytesMax))
		if err != nil {
			return in.explain(err)
		}
		in.reader, in.close = z, append(in.close, func() error { z.Close(); return nil })
	}
	return nil
}

func (in *streamInput) Read(_ context.Context, p []byte) (int, error) {
	n, err := in.reader.Read(p)
	if err != nil && err != io.EOF {
		err = in.explain(err)
	}
	return n, err
}

// explain names the file and what is wrong in words.
func (in *streamInput) explain(err error) error {
	switch {
	case in.kind == compressNone:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: truncated %s stream", in.name, in.kind)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return fmt.Errorf("%s: not a %s stream", in.name, in.kind)
	}
	return fmt.Errorf("%s: damaged %s stream: %w", in.name, in.kind, err)
}

func (in *streamInput) Ready() bool { return true }

func (in *streamInput) Skip(ctx context.Context, n int64) error {
	if in.seeker != nil {
		_, err := in.seeker.Seek(n, io.SeekCurrent)
		return err
	}
	return skipByReading(ctx, in, n)
}

// skipByReading is Skip where there is no seeking.
func skipByReading(ctx context.Context, in input, n int64) error {
	buf := make([]byte, min(n, BlockBytes))
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := in.Read(ctx, buf[:min(n, int64(len(buf)))])
		n -= int64(got)
		if err == io.EOF && n > 0 {
			return errors.New("the input is shorter than when the position was taken")
		}
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}

func (in *streamInput) Close() error {
	var first error
	for i := len(in.close) - 1; i >= 0; i-- {
		if err := in.close[i](); err != nil && first == nil {
			first = err
		}
	}
	in.close = nil
	return first
}

const followPoll = 100 * time.Millisecond // between two looks at a followed file

// followInput reads a file that grows; its end is never reached.
type followInput struct {
	name string
	file *os.File
	at   int64
}

func openFollowed(name string) (input, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return &followInput{name: name, file: f}, nil
}

func (in *followInput) Read(ctx context.Context, p []byte) (int, error) {
	for {
		n, err := in.file.Read(p)
		if in.at += int64(n); n > 0 || err != nil && err != io.EOF {
			return n, err
		}
		info, err := in.file.Stat()
		if err != nil {
			return 0, err
		}
		if info.Size() < in.at {
			return 0, fmt.Errorf("%s: became shorter while it was followed", in.name)
		}
		if err := sleep(ctx, followPoll); err != nil {
			return 0, err
		}
	}
}

func (in *followInput) Ready() bool {
	info, err := in.file.Stat()
	return err == nil && info.Size() > in.at
}

func (in *followInput) Skip(_ context.Context, n int64) error {
	at, err := in.file.Seek(n, io.SeekCurrent)
	in.at = at
	return err
}

func (in *followInput) Close() error { return in.file.Close() }

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
