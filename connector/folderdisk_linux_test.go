package connector

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/state"
)

// asNobody does something as a user who owns nothing, if the tests run as one who may do
// everything. It is the file system's user of one thread, which the goroutine keeps.
func asNobody(do func()) {
	if os.Geteuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		_ = unix.Setfsuid(65534)
		do()
	}()
	<-done
}

func TestFoldersWithoutPermission(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "b=1")
	if err := errors.Join(os.Mkdir(inner, 0o555), os.Chmod(inner, 0o555), os.Chmod(dir, 0o777), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	asNobody(func() {
		s, err := openFolderSink(sinkOptions{path: dir, format: FormatCSV, folder: &folderOptions{keys: []string{"b"}, rollSize: 1 << 20, rollAge: rollAgeDefault, rollIdle: rollAgeDefault, check: rollCheckDefault}}, threeTexts, threeTexts.Visible())
		if err != nil {
			t.Error(err)
			return
		}
		err = s.(BatchSink).WriteBatch(threeRows([2]string{"x", "1"}), 0, 1)
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "cannot write "+inner) {
			t.Errorf("a folder that cannot be written: %v", err)
		}
		s.Abort()
	})
}

// Files that are none, such as /dev/null, can be written in every format.
func TestFormatsToDevices(t *testing.T) {
	for _, format := range fileFormats {
		for path, want := range map[string]error{"/dev/null": nil, "/dev/full": syscall.ENOSPC} {
			s, err := OpenSink(&model.Sink{Connector: "file", Options: map[string]string{"path": path, "format": format}}, threeTexts, threeTexts.Visible(), Env{})
			if err != nil {
				t.Fatal(err)
			}
			rows := threeRows([2]string{"x", "1"})
			if text, ok := s.(ByteSink); ok {
				err = text.Write(text.NewEncoder().Encode(nil, rows, 0, 1))
			} else {
				err = s.(BatchSink).WriteBatch(rows, 0, 1)
			}
			if err = errors.Join(err, s.Close()); !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("%s to %s: %v", format, path, err)
			}
		}
	}
}

// On a full disk a part of columns is not seen, as one of text is not.
func TestFolderOfColumnsOnFullDisk(t *testing.T) {
	for _, format := range columnFormats {
		dir := filepath.Join(t.TempDir(), "out")
		s := openFolderAt(t, dir+"/", format)
		if err := s.WriteBatch(threeRows([2]string{"x", "1"}), 0, 1); err != nil {
			t.Fatal(err)
		}
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		part := s.(*folderSink).open[""].sink.(*columnSink)
		_ = part.file.Close()
		part.file, part.writer = full, nil
		if err := s.WriteBatch(threeRows([2]string{"x", "1"}), 0, 1); err != nil && !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		var w state.Writer
		s.Snapshot(&w)
		if err := s.Close(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", format, err)
		}
		sameLines(t, format, tree(t, dir), nil)
	}
}
