// Command millrace runs streaming SQL: it is the one binary of the engine. It turns
// arguments into options of the root package, shows results and messages, and maps
// what happened to an exit status; everything else happens below the root package.
//
// main.go holds the outline and the exit status, run.go the command most people use,
// console.go, table.go and rows.go how results reach the screen or a pipe.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/sql"
)

// The exit statuses, a contract with scripts.
const (
	statusDone        = 0
	statusFailed      = 1   // the job failed
	statusWrong       = 2   // the request is wrong
	statusInterrupted = 130 // a second signal
)

// failure is an error of a job that was asked for correctly. Any other error means
// that the request is wrong.
type failure struct{ err error }

func (f failure) Error() string { return f.err.Error() }
func (f failure) Unwrap() error { return f.err }

// errInterrupted ends the program at once, after a second signal.
var errInterrupted = errors.New("interrupted")

// terminal is what the program talks to.
type terminal struct {
	in             io.Reader
	out, err       io.Writer
	inTTY          bool
	outTTY, errTTY bool
	outPipe        bool       // who reads it may have the screen
	width          func() int // columns of the terminal behind err or out
	// signals are interrupt and terminate once listen was called, which may be nil. Before,
	// they end the program: it may be waiting for a script, or for a pipe's other end.
	signals <-chan os.Signal
	listen  func()
	// unlisten makes them end the program again. What came before is forgotten.
	unlisten func()
	// hold keeps interrupts from ending the program until release is called. It may be nil.
	hold func() (release func())
}

func main() { os.Exit(execute(os.Args[1:], system())) }

// system is the process's own terminal. From here on a closed pipe is an error of the
// write instead of the process's end.
func system() terminal {
	signals := make(chan os.Signal, 2)
	signal.Ignore(syscall.SIGPIPE)
	out, err := os.Stdout.Stat()
	return terminal{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		inTTY:   term.IsTerminal(int(os.Stdin.Fd())),
		outTTY:  term.IsTerminal(int(os.Stdout.Fd())),
		outPipe: err == nil && out.Mode()&os.ModeNamedPipe != 0,
		errTTY:  term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb",
		width: func() int {
			for _, f := range []*os.File{os.Stderr, os.Stdout} {
				if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
					return columns
				}
			}
			return 80
		},
		signals: signals,
		listen:  func() { signal.Notify(signals, os.Interrupt, syscall.SIGTERM) },
		unlisten: func() {
			signal.Stop(signals)
			for len(signals) > 0 {
				<-signals
			}
		},
		hold: func() (release func()) {
			dropped := make(chan os.Signal, 1)
			signal.Notify(dropped, os.Interrupt)
			return func() { signal.Stop(dropped) }
		},
	}
}

// execute runs the program with the given arguments and returns its exit status.
func execute(args []string, t terminal) int {
	root := rootCommand(t)
	root.SetArgs(args)
	_, err := root.ExecuteC()
	var failed failure
	switch {
	case err == nil:
		return statusDone
	case errors.Is(err, errInterrupted):
		return statusInterrupted
	case errors.As(err, &failed):
		complain(t.err, err)
		return statusFailed
	}
	complain(t.err, err)
	return statusWrong
}

// complain shows an error. One with a place in a script begins with that place, as
// compilers do it; others begin with the program's name.
func complain(w io.Writer, err error) {
	text := printableLines(err.Error())
	var mistake *sql.Error
	var inModel *millrace.ModelError
	if !errors.As(err, &mistake) && !errors.As(err, &inModel) {
		text = "millrace: " + text
	}
	fmt.Fprintln(w, text)
}

// tellAll shows the mistakes of a script but one, which is left to the caller.
func tellAll(w io.Writer, err error) error {
	var first *sql.Error
	if !errors.As(err, &first) || len(first.More) == 0 {
		return err
	}
	all := append([]*sql.Error{first}, first.More...)
	for _, e := range all[:len(all)-1] {
		complain(w, e)
	}
	return all[len(all)-1]
}

// withOthers adds to the first mistake of a script how many others there are.
func withOthers(err error) error {
	var first *sql.Error
	if !errors.As(err, &first) || len(first.More) == 0 {
		return err
	}
	others := "1 other mistake"
	if n := len(first.More); n > 1 {
		others = fmt.Sprintf("%d other mistakes", n)
	}
	return fmt.Errorf("%w\n(%s; millrace check shows all)", err, others)
}
