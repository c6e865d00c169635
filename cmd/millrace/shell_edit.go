package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/peterh/liner"

	"github.com/millrace/millrace/sql"
)

// This file is the shell at a terminal: lines with editing, history and completion, put
// together to inputs.

const (
	prompt         = "millrace> "
	promptContinue = "      ..> "
)

// historyEntriesMax is the number of statements that the history keeps; the oldest go first.
const historyEntriesMax = liner.HistoryLimit

// historyEntryBytesMax is the longest statement that the history keeps.
const historyEntryBytesMax = 4000

// editor reads inputs from the terminal. Between two reads the terminal is as it was
// before, so that jobs see Ctrl-C as a signal and other programs can use it.
type editor struct {
	shell *shell
	lines *liner.State
	// The modes of the terminal: the user's, and that of reading lines.
	cooked, raw liner.ModeApplier
	history     string // name of the file, "" if there is none
	pending     strings.Builder
}

func newEditor(s *shell) *editor {
	e := &editor{shell: s}
	// Without modes there is nothing to change back.
	e.cooked, _ = liner.TerminalMode()
	e.lines = liner.NewLiner()
	e.raw, _ = liner.TerminalMode()
	e.lines.SetCtrlCAborts(true)
	e.lines.SetMultiLineMode(true) // a long line wraps
	e.lines.SetBeep(false)
	e.lines.SetTabCompletionStyle(liner.TabPrints)
	e.lines.SetWordCompleter(func(line string, pos int) (string, []string, string) {
		return s.complete(e.pending.String(), line, pos)
	})
	if err := e.openHistory(); err != nil {
		s.screen.say("note: the history is not kept: " + err.Error())
		e.history = ""
	}
	apply(e.cooked)
	return e
}

// apply changes the terminal's mode; where that fails it is no terminal and has none.
func apply(m liner.ModeApplier) {
	if m != nil {
		_ = m.ApplyMode()
	}
}

func (e *editor) close() {
	_ = e.lines.Close() // the program ends
	apply(e.cooked)
}

// read returns the next input. errStopped: Ctrl-C dropped what was typed. io.EOF: Ctrl-D.
func (e *editor) read() (string, error) {
	apply(e.raw)
	defer apply(e.cooked)
	defer e.pending.Reset()
	for p := prompt; ; p = promptContinue {
		line, err := e.lines.Prompt(p)
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			return "", errStopped
		case errors.Is(err, io.EOF):
			fmt.Fprintln(e.shell.t.err)
			return "", io.EOF
		case err != nil:
			return "", err
		}
		e.pending.WriteString(line + "\n")
		if text := e.pending.String(); isComplete(text) {
			e.remember(text)
			return text, nil
		}
	}
}

// openHistory reads the file of statements, one a line. A file that has grown beyond the
// limit is written anew.
func (e *editor) openHistory() error {
	name, err := historyFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return withoutOperation(err)
	}
	e.history = name
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return withoutOperation(err)
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	kept := all[max(0, len(all)-historyEntriesMax):]
	for _, line := range kept {
		if line = strings.ToValidUTF8(line, "?"); line != "" {
			e.lines.AppendHistory(line)
		}
	}
	if len(all) < 2*historyEntriesMax {
		return nil
	}
	temp := name + ".new"
	if err := os.WriteFile(temp, []byte(strings.Join(kept, "\n")+"\n"), 0o600); err != nil {
		return withoutOperation(err)
	}
	return os.Rename(temp, name)
}

// historyFile is where statements are kept from one shell to the next.
func historyFile() (string, error) {
	folder := os.Getenv("XDG_STATE_HOME")
	if folder == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "millrace", "history"), nil
}

// remember adds an input to the history, in one line. One that begins with a blank is not
// kept, which is the habit of shells for what is nobody's business.
func (e *editor) remember(text string) {
	if strings.HasPrefix(text, " ") || sql.IsBlank(text) || len(text) > historyEntryBytesMax {
		return
	}
	line := sql.OneLine(text)
	e.lines.AppendHistory(line)
	if e.history == "" {
		return
	}
	file, err := os.OpenFile(e.history, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(line + "\n")
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		e.shell.screen.say("note: the history is not kept any more: " + withoutOperation(err).Error())
		e.history = ""
	}
}
