//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/millrace/millrace"
)

// typist sits at a pseudo-terminal in which the program runs.
type typist struct {
	t    *testing.T
	file *os.File
	cmd  *exec.Cmd

	mu   sync.Mutex
	cond *sync.Cond
	seen bytes.Buffer // everything on the screen
	from int          // what has been expected already
	done bool
}

// patience is how long a test waits for something to appear.
const patience = 20 * time.Second

// atTerminal starts the program with a home of its own in a folder with some streams.
func atTerminal(t *testing.T, home string, args ...string) *typist {
	t.Helper()
	cmd := exec.Command("millrace", args...)
	cmd.Dir = shellFolder(t)
	cmd.Env = append(os.Environ(), "TERM=xterm", "HOME="+home, "XDG_STATE_HOME="+filepath.Join(home, "state"), "VISUAL=", "EDITOR=./editor")
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 150})
	if err != nil {
		t.Fatal(err)
	}
	p := &typist{t: t, file: file, cmd: cmd}
	p.cond = sync.NewCond(&p.mu)
	go p.look()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = file.Close()
	})
	return p
}

// shellFolder holds what the tests ask about.
func shellFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cars.csv":  "ts,car\n2026-05-04 07:00:01,1\n2026-05-04 07:00:02,2\n2026-05-04 07:00:03,3\n2026-05-04 07:00:04,x\n",
		"cars.sql":  "CREATE STREAM cars (ts TIMESTAMP, car INTEGER, WATERMARK FOR ts AS ts) WITH (connector = 'file', path = 'cars.csv');\n",
		"wrong.sql": "SELECT car FROM cars;\n\nSELECT carr FROM cars;\n",
		"editor":    "#!/bin/sh\nsed 's/car/car + 100 AS edited/' \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (p *typist) look() {
	buffer := make([]byte, 4096)
	for {
		n, err := p.file.Read(buffer)
		p.mu.Lock()
		p.seen.Write(buffer[:n])
		p.done = err != nil
		p.cond.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// types sends keys.
func (p *typist) types(keys string) {
	p.t.Helper()
	if _, err := p.file.WriteString(keys); err != nil {
		p.t.Fatalf("typing %q: %v", keys, err)
	}
}

// control is what terminals do not show.
var control = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\r|\a")

// sees waits until the pattern appears behind what was seen before.
func (p *typist) sees(pattern string) {
	p.t.Helper()
	want := regexp.MustCompile("(?s)" + pattern)
	timer := time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done = true
		p.cond.Broadcast()
	})
	defer timer.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		screen := control.ReplaceAllString(p.seen.String(), "")
		if at := want.FindStringIndex(screen[min(p.from, len(screen)):]); at != nil {
			p.from += at[1]
			return
		}
		if p.done {
			p.t.Fatalf("%q does not appear behind:\n%s\nin:\n%s", pattern, screen[:min(p.from, len(screen))], screen[min(p.from, len(screen)):])
		}
		p.cond.Wait()
	}
}

// interrupts presses Ctrl-C until the pattern appears: it may come when no line is read yet,
// and is lost then.
func (p *typist) interrupts(pattern string) {
	p.t.Helper()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			_, _ = p.file.WriteString("\x03") // a failure shows as the pattern's absence
			select {
			case <-stop:
				return
			case <-time.After(patience / 100):
			}
		}
	}()
	p.sees(pattern)
}

// leaves waits for the end of the program, which must be a good one.
func (p *typist) leaves() {
	p.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			p.t.Errorf("the shell ended with %v", err)
		}
	case <-time.After(patience):
		p.t.Fatalf("the shell does not end:\n%s", p.seen.String())
	}
}

func TestShell(t *testing.T) {
	p := atTerminal(t, t.TempDir(), "sql", "cars.sql")
	p.sees(`\\\? shows the commands.*millrace> `)
	// A statement of several lines, with the summary of what was set aside.
	p.types("SELECT car\r")
	p.sees(`\.\.> `)
	p.types("FROM cars WHERE car > 1;\r")
	p.sees(` car\n─+\n +2\n +3\n\(2 rows\)\n`)
	p.sees(`cars: 1 row was malformed and set aside; first: cars\.csv:5: .*\(SELECT \* FROM cars\$errors shows all\)\nmillrace> `)
	// Declarations last, and can be replaced and dropped.
	p.types("CREATE VIEW fast AS SELECT car FROM cars WHERE car > 2;\r")
	p.sees(`CREATE VIEW\nmillrace> `)
	p.types("CREATE VIEW fast AS SELECT car FROM cars;\r")
	p.sees(`sql:1:13: "fast" is already declared; CREATE OR REPLACE VIEW replaces it.*\n  1 \| CREATE VIEW fast.*\n    \|             \^\^\^\^\n`)
	p.types("CREATE OR REPLACE VIEW fast AS SELECT car * 10 AS ten FROM cars; SELECT * FROM fast;\r")
	p.sees(`CREATE VIEW\n ten\n─+\n +10\n`)
	p.types("DROP STREAM cars;\r")
	p.sees(`view fast reads "cars"; DROP VIEW fast first`)
	p.types("DROP VIEW fast; SHOW TABLES;\r")
	p.sees(`DROP VIEW\n.*cars +│ stream.*\(1 row\)\nmillrace> `)
	// A mistake is shown at its place in the input.
	p.types("SELECT car,\rspeed FROM cars;\r")
	p.sees(`sql:2:1: column "speed" does not exist in stream cars.*\n  2 \| speed FROM cars;\n    \| \^\^\^\^\^\n`)
	// Settings.
	p.types("SET format = csv; SELECT car FROM cars; RESET format;\r")
	p.sees(`SET\ncar\n1\n2\n3\n.*RESET\n`)
	p.types("\\timing\r")
	p.sees(`Timing is on\.`)
	p.types("SELECT car FROM cars WHERE car = 2;\r")
	p.sees(`\(1 row\).*Time: [0-9.]+ ms\nmillrace> `)
	p.types("INSERT INTO cars SELECT ts, car FROM cars;\r")
	p.sees(`millrace: INSERT INTO cannot write cars\.csv.*millrace> `)
	p.types("exit\r")
	p.leaves()
}

func TestShellCommands(t *testing.T) {
	p := atTerminal(t, t.TempDir(), "sql")
	p.sees("millrace> ")
	p.types("\\i cars.sql\r")
	p.sees("CREATE STREAM\nmillrace> ")
	p.types("\\d\r")
	p.sees(`cars +│ stream │ 2 +│ ts`)
	p.types("\\d cars\r")
	p.sees(`ts +│ TIMESTAMP │ yes +│ event time\n.*path = 'cars\.csv'`)
	p.types("\\i wrong.sql\r")
	p.sees(`\(3 rows\).*wrong\.sql:3:8: column "carr" does not exist in stream cars; did you mean "car"\?`)
	p.types("\\i nothing.sql\r")
	p.sees(`no such file: nothing\.sql`)
	p.types("\\x\r")
	p.sees(`there is no command \\x; write SET format`)
	p.types("\\?\r")
	p.sees(`\\timing +show how long`)
	p.types("SELECT car FROM cars;\r")
	p.sees(`\(3 rows\)`)
	p.types("\\e\r")
	p.sees(`edited\n─+\n +101\n`)
	p.types("help\r")
	p.sees(`Ctrl-C drops what is typed`)
	p.types("\\q\r")
	p.leaves()
}

// TestShellSignals: Ctrl-C drops what is typed, and stops a query; Ctrl-D leaves.
func TestShellSignals(t *testing.T) {
	p := atTerminal(t, t.TempDir(), "sql")
	p.sees("millrace> ")
	p.types("SELECT 'half of\r")
	p.sees(`\.\.> `)
	p.interrupts("millrace> ")
	p.types("CREATE STREAM s (n BIGINT) WITH (connector = 'datagen', rows_per_second = 100);\r")
	p.sees("CREATE STREAM\nmillrace> ")
	p.types("SELECT n FROM s; SELECT 'not run' FROM s;\r")
	p.sees(` n\n─.*\n +[0-9]`)
	p.types("\x03")
	p.sees(`stopping: finishing what has been read.*\([0-9]+ rows?\)\nmillrace> `)
	p.types("SELECT COUNT(*) FROM s [ROWS 1000000 SLIDE 1000000];\r")
	p.sees(`rows/s`)
	p.types("\x03")
	p.sees("millrace> ")
	p.types("\x04")
	p.leaves()
	if strings.Contains(p.seen.String(), "not_run") {
		t.Error("a statement ran behind one that was stopped")
	}
}

// TestShellHistory finds what an earlier shell was told, in one line.
func TestShellHistory(t *testing.T) {
	home := t.TempDir()
	p := atTerminal(t, home, "sql", "cars.sql")
	p.sees("millrace> ")
	p.types("SELECT car -- the car\rFROM cars;\r")
	p.sees(`\(3 rows\)`)
	p.types(" SELECT 'secret' FROM cars;\r")
	p.sees(`\(4 rows\).*millrace> `)
	p.types("\x04")
	p.leaves()
	file := filepath.Join(home, "state", "millrace", "history")
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "SELECT car /* the car */ FROM cars;\n" {
		t.Errorf("history %q, %v", text, err)
	}
	if info, err := os.Stat(file); err == nil && info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the history: %v", info.Mode())
	}
	p = atTerminal(t, home, "sql", "cars.sql")
	p.sees("millrace> ")
	p.types("\x1b[A")
	p.sees(`SELECT car /\* the car \*/ FROM cars;`)
	p.types("\r")
	p.sees(`\(3 rows\)`)
	p.types("\\q\r")
	p.leaves()
}

func TestShellCompletes(t *testing.T) {
	p := atTerminal(t, t.TempDir(), "sql", "cars.sql")
	p.sees("millrace> ")
	p.types("SELEC\t ca\t\tr FROM car\t;\r")
	p.sees(`\(3 rows\)`)
	p.types("\\i wro\t\r")
	p.sees(`wrong\.sql:3:8`)
	p.types("\\q\r")
	p.leaves()
}

// TestHistoryIsTrimmed writes the file anew when it has grown.
func TestHistoryIsTrimmed(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, "state", "millrace", "history")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Repeat("SELECT 1;\n", 2*historyEntriesMax)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := atTerminal(t, home, "sql")
	p.sees("millrace> ")
	p.types("\\q\r")
	p.leaves()
	text, err := os.ReadFile(file)
	if got := strings.Count(string(text), "\n"); err != nil || got != historyEntriesMax+1 {
		t.Errorf("%d entries, %v; want %d", got, err, historyEntriesMax+1)
	}
}

// TestShellGivesUp: the second signal ends a job that does not end by itself, and what else
// the input holds.
func TestShellGivesUp(t *testing.T) {
	var b buffers
	target := b.terminal()
	signals := make(chan os.Signal, 2)
	signals <- os.Interrupt
	signals <- os.Interrupt
	target.signals, target.listen = signals, func() {}
	released := 0
	target.unlisten = func() { released++ }
	s, err := newShell(target, &runFlags{vars: variables{}, engine: "millrace"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.execute(millrace.Script{Name: "q", Text: `CREATE STREAM s (n BIGINT) WITH (connector = 'datagen', rows_per_second = 1); SELECT n FROM s; SELECT n AS more FROM s;`})
	if !errors.Is(err, errStopped) || released == 0 || strings.Contains(b.out.String(), "more") {
		t.Errorf("%v, released %d times:\n%s%s", err, released, b.out.String(), b.err.String())
	}
}

func TestShellExecutes(t *testing.T) {
	t.Chdir(shellFolder(t))
	var b buffers
	status := execute([]string{"sql", "cars.sql", "-e", "CREATE VIEW v AS SELECT car FROM cars WHERE car > 2", "-e", "SELECT * FROM v; SHOW VIEWS"}, b.terminal())
	if want := "{\"car\":3}\n{\"name\":\"v\",\"columns\":\"1\",\"event_time\":null,\"reads\":\"cars\"}\n"; status != statusDone || b.out.String() != want {
		t.Errorf("status %d: %s%s", status, b.out.String(), b.err.String())
	}
}

// TestShellEndings ends a batch as millrace run would.
func TestShellEndings(t *testing.T) {
	t.Chdir(shellFolder(t))
	for input, c := range map[string]struct {
		status   int
		out, err string
	}{
		"\\i cars.sql\nSELECT car FROM cars; SELECT COUNT(*) AS n FROM cars [RANGE 1 DAY SLIDE 1 DAY]": {0, "{\"car\":1}\n{\"car\":2}\n{\"car\":3}\n{\"n\":4}\n", "malformed"},
		"\\i cars.sql\nSELECT 1 AS x FROM carz; SELECT car FROM cars":                                  {2, "", "stdin:2:20: stream \"carz\""},
		"\\i cars.sql\nexit; SELECT nothing":                                                           {0, "", ""},
		"\\q":                                                                                          {0, "", ""},
		"CREATE STREAM s (n INTEGER) WITH (connector = 'file', path = 'cars.csv', format = 'ndjson', on_error = 'fail'); SELECT * FROM s": {1, "", "cars.csv:1"},
		"CREATE STREAM s (n INTEGER) WITH (connector = 'stdin', format = 'csv'); SELECT * FROM s":                                         {2, "", "use millrace run"},
		"":                                {0, "", ""},
		"SET format = table; SHOW TABLES": {0, "(0 rows)", ""},
	} {
		var b buffers
		target := b.terminal()
		target.in = strings.NewReader(input)
		status := execute([]string{"sql"}, target)
		if status != c.status || !strings.Contains(b.out.String(), c.out) || !strings.Contains(b.err.String(), c.err) {
			t.Errorf("%s\nstatus %d: %s%s\nwant %d: %s%s", input, status, b.out.String(), b.err.String(), c.status, c.out, c.err)
		}
	}
}
