package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace/millrace"
)

// Documents show what really happens. In every Markdown file, a fence
//
//	```sql          directly followed by     ```text
//
// is a query behind the streams of examples/sensors and what it prints (the messages
// too for "text messages", or if it fails), and a fence
//
//	```console
//
// holds commands behind "$ ", each followed by what it prints. They run in a folder
// that looks like a checkout; -rewrite puts in what they print now. A fence
//
//	```shell
//
// is a session of millrace sql: inputs behind its prompts, each followed by what it shows.
// All of a document are one session.
var fences = regexp.MustCompile("(?ms)^```([a-z]+(?: [a-z]+)?)\n(.*?)^```\n")

func TestDocumentsShowWhatHappens(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(documents) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	guides, err := filepath.Glob(filepath.Join(root, "docs", "guide", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, path := range append(documents, guides...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Chdir(checkout(t, root))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			now, n := replay(t, string(text))
			examples += n
			if now == string(text) {
				return
			}
			if *rewrite {
				if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("an example prints something else (-rewrite accepts it):\n%s", firstDifference(string(text), now))
		})
	}
	if examples == 0 {
		t.Error("no example was run")
	}
}

// checkout makes a folder in which examples may write files.
func checkout(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(root, "examples"), filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// replay runs a document's examples and puts in what they print.
func replay(t *testing.T, text string) (out string, examples int) {
	t.Helper()
	var b strings.Builder
	last, query, queryEnd := 0, "", -1
	session := newDocumentSession(t)
	for _, m := range fences.FindAllStringSubmatchIndex(text, -1) {
		kind, body := text[m[2]:m[3]], text[m[4]:m[5]]
		adjacent := queryEnd >= 0 && strings.TrimSpace(text[queryEnd:m[0]]) == ""
		switch {
		case kind == "sql":
			query, queryEnd = body, m[1]
			continue
		case adjacent && (kind == "text" || kind == "text messages"):
			body = runQuery(query, kind == "text messages")
		case kind == "console":
			body = runCommands(body)
		case kind == "shell":
			body = session.run(body)
		default:
			queryEnd = -1
			continue
		}
		examples, queryEnd = examples+1, -1
		b.WriteString(text[last:m[4]])
		b.WriteString(body)
		last = m[5]
	}
	b.WriteString(text[last:])
	return b.String(), examples
}

func runQuery(query string, messages bool) string {
	var b buffers
	target := b.terminal()
	target.in = strings.NewReader(query)
	status := execute([]string{"run", "--format", "table", "examples/sensors/streams.sql", "-"}, target)
	if messages || status != statusDone {
		return b.out.String() + b.err.String()
	}
	return b.out.String()
}

// runCommands runs the lines that begin with "$ ".
func runCommands(block string) string {
	var b strings.Builder
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		b.WriteString(line)
		out, err := exec.Command("sh", "-c", command).CombinedOutput()
		b.Write(out)
		if len(out) == 0 && err != nil {
			b.WriteString(err.Error() + "\n")
		}
	}
	return b.String()
}

// documentSession is a shell that a document talks to.
type documentSession struct {
	shell *shell
	b     *buffers
}

func newDocumentSession(t *testing.T) *documentSession {
	t.Helper()
	b := &buffers{}
	s, err := newShell(b.terminal(), &runFlags{vars: variables{}, engine: "millrace", format: "table"})
	if err != nil {
		t.Fatal(err)
	}
	s.t.err = &b.out // in the order of a screen
	s.interactive = true
	return &documentSession{s, b}
}

// run runs the inputs behind prompts.
func (d *documentSession) run(block string) string {
	d.b.out.Reset()
	input := ""
	for line := range strings.Lines(block) {
		text, ok := strings.CutPrefix(line, prompt)
		if !ok || input != "" {
			if text, ok = strings.CutPrefix(line, promptContinue); !ok || input == "" {
				continue
			}
		}
		d.b.out.WriteString(line)
		if input += text; isComplete(input) {
			d.shell.screen = &console{t: d.shell.t}
			if err := d.shell.execute(millrace.Script{Name: "sql", Text: input}); err != nil && !errors.Is(err, errLeave) {
				complain(&d.b.out, err)
			}
			input = ""
		}
	}
	return d.b.out.String()
}

// firstDifference shows the lines around the first that differs.
func firstDifference(old, now string) string {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	cut := func(lines []string) string { return strings.Join(lines[max(0, i-5):min(len(lines), i+5)], "\n") }
	return cut(a) + "\n\nnow:\n\n" + cut(b)
}
