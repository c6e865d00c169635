package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/sql"
)

// This file holds the shell's commands, which begin with a backslash. Their names are
// psql's.

const shellHelp = `Statements end with ";" and may take several lines. Ctrl-C drops what is typed, or stops the
query that runs; a second Ctrl-C gives it up. Tab completes, Ctrl-R searches what was typed before.

  CREATE STREAM|TABLE|VIEW ..   declares for the session; CREATE OR REPLACE, DROP
  SELECT ..                     shows rows as they come
  INSERT INTO .. SELECT ..      writes rows; BEGIN STATEMENT SET; .. END; runs several as one job
  EXPLAIN [ANALYZE] SELECT ..   shows what would run; runs it, too
  SHOW TABLES                   also STREAMS, VIEWS, FUNCTIONS, CONNECTORS, SETTINGS, CREATE name
  DESCRIBE name                 columns and options; DESCRIBE SELECT .. the columns of a result
  SET name = value              settings; RESET name

  \d [NAME]     what there is; what a stream or view is
  \dv  \df      views; functions
  \i FILE       run a file
  \e [FILE]     write in an editor (VISUAL, EDITOR), and run it; without FILE the last statement
  \timing       show how long statements take, or no longer
  \?            this
  \q            leave (also EXIT, Ctrl-D)
`

// command runs the command behind a backslash.
func (s *shell) command(line string) error {
	name, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
	argument = strings.TrimSpace(argument)
	run, known := s.commands()[name]
	switch {
	case known:
		return run(argument)
	case name == "":
		return errors.New(`a command follows the backslash; \? shows them`)
	}
	hint := `\? shows the commands`
	if instead := foreignCommands[name]; instead != "" {
		hint = instead
	}
	return fmt.Errorf(`there is no command \%s; %s`, name, hint)
}

// foreignCommands are those of psql that people type from habit.
var foreignCommands = map[string]string{
	"l": "there is one name space; \\d shows all of it", "c": "there is nothing to connect to", "connect": "there is nothing to connect to",
	"o": "write INSERT INTO a table with connector = 'file', or use millrace run .. > FILE", "x": "write SET format = ndjson", "copy": "write INSERT INTO a table with connector = 'file'",
	"g": `end the statement with ";"`, "p": `\e shows the last statement in an editor`, "set": "write SET name = value; variables are given with --set name=value",
	"pset": "write SET format = table, ndjson or csv", "a": "write SET format = csv", "watch": "a SELECT over a stream that does not end shows rows as they come",
	"s": "Ctrl-R searches what was typed before", "!": "use another terminal", "echo": "put a comment into the script",
}

func (s *shell) commands() map[string]func(argument string) error {
	query := func(text string) func(string) error {
		return func(string) error { return s.statement(millrace.Script{Name: "sql", Text: text}) }
	}
	return map[string]func(string) error{
		"?": s.help, "h": s.help, "help": s.help,
		"q": leave, "quit": leave, "exit": leave,
		"d": s.describe, "d+": s.describe, "dt": query("SHOW TABLES"), "ds": query("SHOW STREAMS"), "dv": query("SHOW VIEWS"), "df": query("SHOW FUNCTIONS"),
		"i": s.include, "include": s.include, "ir": s.include,
		"e": s.edit, "edit": s.edit,
		"timing": s.setTiming,
	}
}

func leave(string) error { return errLeave }

func (s *shell) help(string) error {
	_, err := s.screen.Write([]byte(shellHelp))
	return err
}

func (s *shell) describe(name string) error {
	text := "SHOW TABLES"
	if name = strings.TrimSuffix(name, ";"); name != "" {
		text = "DESCRIBE " + name
	}
	return s.statement(millrace.Script{Name: "sql", Text: text})
}

func (s *shell) setTiming(argument string) error {
	switch strings.ToLower(argument) {
	case "on":
		s.timing = true
	case "off":
		s.timing = false
	case "":
		s.timing = !s.timing
	default:
		return errors.New(`write \timing, \timing on or \timing off`)
	}
	state := "off"
	if s.timing {
		state = "on"
	}
	s.screen.say("Timing is " + state + ".")
	return nil
}

// include runs a file.
func (s *shell) include(name string) error {
	name = unquoted(name)
	if name == "" {
		return errors.New(`name a file: \i FILE`)
	}
	if s.files >= includeDepthMax {
		return fmt.Errorf("%s: files include each other more than %d levels deep", name, includeDepthMax)
	}
	text, err := readScript(name, s.t.in)
	if err != nil {
		return err
	}
	s.files++
	defer func() { s.files-- }()
	return s.execute(millrace.Script{Name: name, Text: text})
}

// unquoted takes the quotes off a file name.
func unquoted(name string) string {
	name = strings.TrimSuffix(strings.TrimSpace(name), ";")
	if len(name) >= 2 && (name[0] == '\'' || name[0] == '"') && name[len(name)-1] == name[0] {
		return name[1 : len(name)-1]
	}
	return name
}

// edit runs what the user writes in an editor: a file, or the last statement.
func (s *shell) edit(name string) error {
	name = unquoted(name)
	if name == "" {
		file, err := os.CreateTemp("", "millrace-*.sql")
		if err != nil {
			return fmt.Errorf("cannot make a file to edit: %w", err)
		}
		name = file.Name()
		defer os.Remove(name)
		_, err = file.WriteString(s.last + "\n")
		if err = errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("cannot write %s: %w", name, err)
		}
	}
	words := strings.Fields(os.Getenv("VISUAL"))
	if len(words) == 0 {
		words = strings.Fields(os.Getenv("EDITOR"))
	}
	if len(words) == 0 {
		words = []string{"vi"}
	}
	editor := exec.Command(words[0], append(slices.Clone(words[1:]), name)...)
	editor.Stdin, editor.Stdout, editor.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := editor.Run(); err != nil {
		return fmt.Errorf("%s: %w (VISUAL or EDITOR names the editor)", words[0], err)
	}
	text, err := readScript(name, s.t.in)
	if err != nil || sql.IsBlank(text) {
		return err
	}
	_, _ = s.screen.Write([]byte(printableLines(strings.TrimSpace(text)) + "\n")) // what runs, for the eye only
	return s.execute(millrace.Script{Name: "sql", Text: text})
}
