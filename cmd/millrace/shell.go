package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/sql"
)

// shell runs statements one after the other in a session. Where they come from - a
// terminal (edit.go), a pipe, files - is all the same to it.
type shell struct {
	t       terminal
	f       *runFlags
	session *millrace.Session
	screen  *console // of the statement that runs
	// interactive: somebody reads along. Statements that show nothing then say what they did.
	interactive bool
	timing      bool
	last        string // the statement before, for \e
	files       int    // nesting of \i
	// release lets interrupts end the program, which they must not while lines are edited.
	release func()
}

// errLeave ends the shell.
var errLeave = errors.New("leave")

// errStopped ends what one input had to do: a signal stopped a job of it.
var errStopped = errors.New("stopped")

// includeDepthMax is how deeply files may include files with \i.
const includeDepthMax = 16

func sqlCommand(t terminal) *cobra.Command {
	f := &runFlags{vars: variables{}}
	cmd := &cobra.Command{
		Use:   "sql [FILE.sql ... | -e SQL]",
		Short: "write statements interactively",
		Long: `Statements are read from the terminal and run one by one: declarations and settings last,
a SELECT or INSERT INTO runs as a job of its own, and Ctrl-C stops it. \? shows the commands.
Files are run first; -e runs statements and leaves. From a pipe statements run in the same way up to the first that is
wrong or fails; the exit status is that of millrace run.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := f.check(cmd.Flags().Changed("workers")); err != nil {
				return err
			}
			f.given(cmd.Flags())
			s, err := newShell(t, f)
			if err != nil {
				return err
			}
			return s.run(files)
		},
	}
	f.add(cmd)
	cmd.Flags().StringArrayVarP(&f.statements, "execute", "e", nil, "run this `SQL` and leave; repeatable")
	return cmd
}

func newShell(t terminal, f *runFlags) (*shell, error) {
	s := &shell{t: t, f: f, screen: &console{t: t}, release: func() {}}
	options := f.options(t)
	options.Stdin = strings.NewReader("")
	options.Stdout = writerFunc(func(p []byte) (int, error) { return s.screen.Write(p) })
	options.Results = func(q millrace.Query) millrace.ResultSink { return resultSinks(s.screen, s.f.format)(q) }
	options.Notify = func(m string) { s.screen.say("note: " + m) }
	var err error
	s.session, err = millrace.NewSession(options)
	return s, err
}

type writerFunc func(p []byte) (int, error)

// Write calls the function.
func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// run runs files and then what is typed or piped in.
func (s *shell) run(files []string) error {
	for _, name := range files {
		if err := s.include(name); err != nil {
			return s.outcome(err)
		}
	}
	if len(s.f.statements) > 0 {
		return s.outcome(s.execute(millrace.Script{Name: "-e", Text: strings.Join(s.f.statements, ";\n")}))
	}
	if s.t.inTTY && s.t.outTTY {
		return s.interact()
	}
	text, err := readScript("-", s.t.in)
	if err != nil {
		return err
	}
	return s.outcome(s.execute(millrace.Script{Name: "stdin", Text: text}))
}

// outcome is what the program ends with: to leave and to be stopped are no failures.
func (s *shell) outcome(err error) error {
	if errors.Is(err, errLeave) || errors.Is(err, errStopped) || s.screen.closed.Load() {
		return nil
	}
	return err
}

// execute runs the statements and commands of a text up to the first that fails.
func (s *shell) execute(script millrace.Script) error {
	pieces, rest := sql.Split(script)
	if !sql.IsBlank(rest.Text) {
		pieces = append(pieces, rest)
	}
	for _, piece := range pieces {
		if err := s.piece(piece); err != nil {
			return err
		}
	}
	return nil
}

func (s *shell) piece(piece millrace.Script) error {
	text := strings.TrimSpace(piece.Text)
	if command, ok := strings.CutPrefix(text, `\`); ok {
		return s.command(command)
	}
	switch bareWord(text) {
	case "exit", "quit":
		return errLeave
	case "help":
		return s.command("?")
	}
	s.last = text
	started := time.Now()
	err := s.statement(piece)
	if s.timing && err == nil {
		s.screen.say(fmt.Sprintf("Time: %.1f ms", float64(time.Since(started).Microseconds())/1000))
	}
	return err
}

// bareWord is a statement of one word, in small letters and without ";".
func bareWord(text string) string {
	return strings.ToLower(strings.TrimSpace(strings.TrimRight(text, "; \t\r\n")))
}

// statement runs one statement, or a statement set.
func (s *shell) statement(piece millrace.Script) error {
	if !utf8.ValidString(piece.Text) {
		return errors.New("the statement is not UTF-8 text")
	}
	s.screen = &console{t: s.t}
	plan, err := s.session.Prepare(piece)
	if err != nil {
		return withOthers(err)
	}
	s.f.settle(s.t, plan)
	for _, w := range plan.Warnings() {
		s.screen.say("warning: " + w)
	}
	if s.interactive && plan.Done() != "" {
		s.screen.say(plan.Done())
	}
	if err := showListings(s.screen, s.f.format, plan); err != nil {
		return failure{err}
	}
	switch {
	case plan.Empty() && len(plan.Explained()) > 0:
		return writeExplained(s.screen, plan, nil)
	case plan.Empty():
		return nil
	case plan.ReadsStdin():
		return errors.New("standard input holds the statements here and cannot be a stream; use millrace run")
	}
	defer limitThreads(plan.Options().Workers, s.f.processors)()
	return s.job(plan)
}

// job runs a plan to its end. The first signal stops it, the second gives it up.
func (s *shell) job(plan *millrace.Plan) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, n := range plan.Notes() {
		s.screen.say("note: " + n)
	}
	limitHeap(plan.Options().MemoryBytes)
	job, err := plan.Start(ctx)
	if err != nil {
		return jobError(err)
	}
	if s.t.listen != nil {
		s.t.listen()
		defer s.t.unlisten()
	}
	stats, err := await(s.screen, job)
	if errors.Is(err, errInterrupted) {
		cancel()
		if s.t.unlisten != nil { // should it take long, the next signal ends the program
			s.t.unlisten()
			s.release()
			defer s.hold()
		}
		// What the job says now is only that it was cancelled.
		_, _ = job.Wait()
		s.screen.say("given up: what was shown is not complete")
		return errStopped
	}
	if s.screen.closed.Load() {
		return errStopped
	}
	if stats != nil {
		summarize(s.screen, stats, advice{shell: true}, err != nil)
		if s.interactive && plan.Results() == 0 && err == nil {
			s.screen.say(fmt.Sprintf("%s rows read, %s written", humanize.Comma(stats.RowsIn), humanize.Comma(stats.RowsOut)))
		}
	}
	switch {
	case err != nil:
		return failure{err}
	case s.screen.stopped:
		return errStopped
	}
	return nil
}

// hold keeps interrupts from ending the program between an editor's lines: in them they are
// keys.
func (s *shell) hold() {
	s.release = func() {}
	if s.interactive && s.t.hold != nil {
		s.release = s.t.hold()
	}
}

// jobError tells a request that is wrong from a job that failed.
func jobError(err error) error {
	var request *millrace.RequestError
	if errors.As(err, &request) {
		return err
	}
	return failure{err}
}

// interact reads inputs from the terminal until the user leaves.
func (s *shell) interact() error {
	s.interactive = true
	s.hold()
	defer func() { s.release() }()
	e := newEditor(s)
	defer e.close()
	fmt.Fprintln(s.t.err, `millrace `+thisBuild().Version+`: statements end with ";", \? shows the commands, \q or Ctrl-D leaves`)
	for {
		text, err := e.read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errStopped):
			continue
		case err != nil:
			return fmt.Errorf("cannot read the terminal: %w", err)
		}
		if err := s.execute(millrace.Script{Name: "sql", Text: text}); errors.Is(err, errLeave) {
			return nil
		} else if err != nil && !errors.Is(err, errStopped) {
			complain(s.t.err, err)
		}
	}
}

// isComplete reports whether a text is an input: statements that end, a command, or
// nothing.
func isComplete(text string) bool {
	_, rest := sql.Split(millrace.Script{Text: text})
	if sql.IsBlank(rest.Text) {
		return true
	}
	switch bareWord(text) {
	case "exit", "quit", "help":
		return true
	}
	return false
}
