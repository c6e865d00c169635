package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var rewrite = flag.Bool("rewrite", false, "write the outputs that scripts and golden files expect")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"millrace": main})
}

// TestScripts runs the command as users do: testdata/script holds one story per file.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *rewrite,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home")) // not one that all scripts and users share
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "opencl": // there has to be a device: .ci/run sees to it
				return os.Getenv("MILLRACE_REQUIRE_OPENCL") != "", nil
			}
			return false, errors.New("unknown condition " + name)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"status": status, "both": both, "mortal": mortal},
	})
}

// status runs a program and checks its exit status: status 2 millrace run --wrong
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N program [argument ...]")
	}
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want, err := strconv.Atoi(args[0]); err != nil || got != want {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// both runs a job with either engine, which must say the same and, if it ends well, print
// the same rows; those of several queries may be mixed: both 0 query.sql
func both(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: both N argument ...")
	}
	run := func(engine string) (out, messages string) {
		status(ts, false, append([]string{args[0], "millrace", "run", "--engine=" + engine}, args[1:]...))
		return ts.ReadFile("stdout"), ts.ReadFile("stderr")
	}
	wantOut, wantMessages := run("reference")
	out, messages := run("millrace")
	if messages != wantMessages || args[0] == "0" && !slices.Equal(slices.Sorted(strings.Lines(out)), slices.Sorted(strings.Lines(wantOut))) {
		ts.Fatalf("the reference printed something else:\n%s%s", wantOut, wantMessages)
	}
}

// buffers is a terminal that is none, for tests in this process.
type buffers struct{ out, err bytes.Buffer }

func (b *buffers) terminal() terminal {
	return terminal{
		in: &bytes.Buffer{}, out: &b.out, err: &b.err,
		width:   func() int { return 80 },
		signals: make(chan os.Signal),
	}
}

// TestTerminal runs a script as if standard output were a terminal.
func TestTerminal(t *testing.T) {
	t.Chdir("../..")
	var b buffers
	target := b.terminal()
	target.outTTY, target.errTTY = true, true
	if status := execute([]string{"run", "examples/demo/demo.sql"}, target); status != statusDone {
		t.Fatalf("exit status %d: %s", status, b.err.String())
	}
	t.Chdir("cmd/millrace")
	golden(t, "demo", b.out.String())
}
