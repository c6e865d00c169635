package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/state"
)

// readState takes the state of --restore in.
func (f *runFlags) readState(o *millrace.Options) error {
	if f.restore == "" {
		return nil
	}
	text, err := os.ReadFile(f.restore)
	if err != nil {
		return fmt.Errorf("--restore: cannot read %w", withoutOperation(err))
	}
	if o.Restore, err = state.Decode(text); err != nil {
		return fmt.Errorf("--restore %s: %w", f.restore, err)
	}
	return nil
}

// writeState writes the state of a job that was stopped, if --save asks for it: whole or
// not at all. A job whose input has ended has none.
func (f *runFlags) writeState(screen *console, job *millrace.Job) error {
	snapshot := job.Snapshot()
	if f.saveFile == "" {
		return nil
	}
	if snapshot == nil {
		screen.say("the input has ended: --save wrote nothing")
		return nil
	}
	unfinished, err := os.CreateTemp(filepath.Dir(f.saveFile), "."+filepath.Base(f.saveFile)+".*.tmp")
	if err != nil {
		return fmt.Errorf("--save: cannot create %w", withoutOperation(err))
	}
	_, err = unfinished.Write(snapshot.Encode())
	if err == nil {
		err = unfinished.Sync()
	}
	if e := unfinished.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(unfinished.Name(), f.saveFile)
	}
	if err != nil {
		_ = os.Remove(unfinished.Name())
		return fmt.Errorf("--save: cannot write %s: %w", f.saveFile, err)
	}
	return nil
}
