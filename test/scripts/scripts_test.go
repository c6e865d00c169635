package scripts

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/millrace/millrace"
	"github.com/millrace/millrace/state"
	"github.com/millrace/millrace/stream"
)

var rewrite = flag.Bool("rewrite", false, "write what the reference prints into testdata; check it by hand")

// mode is how a script is run.
type mode struct {
	engine     string
	workers    int
	taskBytes  int64
	blockBytes int
	stopAfter  int64
	restore    *state.Snapshot
}

func (m mode) String() string {
	return fmt.Sprintf("%s, %d workers, tasks of %d bytes", m.engine, m.workers, m.taskBytes)
}

// modes are the ways in which every script must give the same.
func modes() []mode {
	out := []mode{{engine: millrace.EngineReference, workers: 1}}
	for _, workers := range []int{1, 2, 4} {
		for _, taskBytes := range []int64{1, 100, 0} {
			out = append(out, mode{engine: millrace.EngineMillrace, workers: workers, taskBytes: taskBytes, blockBytes: 64})
		}
	}
	return out
}

// script is one file of testdata, unpacked.
type script struct {
	archive *txtar.Archive
	text    string
	dir     string
}

func load(t *testing.T, path string) *script {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &script{archive: archive, dir: t.TempDir()}
	for _, f := range archive.Files {
		if f.Name == "script.sql" {
			s.text = string(f.Data)
		}
		if err := os.WriteFile(filepath.Join(s.dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// printed is what a run shows, by the names of the files that expect it: a query's name
// ("result", "result_1", ..) or that of an output file, "errors" and "counts".
type printed map[string]string

// run runs the script; parts of an answer, if it was stopped, are put together by add.
func (s *script) run(ctx context.Context, m mode, out string) (printed, *state.Snapshot, error) {
	bufs := map[string]*bytes.Buffer{}
	var errors bytes.Buffer
	plan, err := millrace.Prepare([]millrace.Script{{Name: "script.sql", Text: s.text}}, millrace.Options{
		Workers: m.workers, TaskBytes: m.taskBytes, BlockBytes: m.blockBytes, Engine: m.engine, Errors: &errors,
		StopAfterTasks: m.stopAfter, Restore: m.restore, Vars: map[string]string{"in": s.dir, "out": out},
		Results: func(q millrace.Query) millrace.ResultSink {
			bufs[q.Name] = &bytes.Buffer{}
			return rows{q, bufs[q.Name]}
		},
	})
	if err != nil {
		return nil, nil, err
	}
	job, err := plan.Start(ctx)
	if err != nil {
		return nil, nil, err
	}
	stats, err := job.Wait()
	if err != nil {
		return nil, nil, err
	}
	p := printed{"errors": strings.ReplaceAll(errors.String(), s.dir+"/", ""), "counts": counts(stats)}
	for name, b := range bufs {
		p[name] = b.String()
	}
	return p, job.Snapshot(), p.addFiles(out)
}

// addFiles adds the files that a run wrote.
func (p printed) addFiles(out string) error {
	files, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(out, f.Name()))
		if err != nil {
			return err
		}
		p[f.Name()] = string(text)
	}
	return nil
}

// add appends what a run printed after the one before it was stopped.
func (p printed) add(next printed) {
	for name, text := range next {
		if name == "counts" || strings.Contains(name, ".") {
			p[name] = text // counts go on, files hold everything
		} else {
			p[name] += text
		}
	}
}

func counts(s *millrace.Stats) string {
	var lines []string
	for _, st := range s.Streams {
		lines = append(lines, fmt.Sprintf("%s: %d in, %d late, %d errors\n", st.Name, st.RowsIn, st.RowsLate, st.RowsError))
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}

// rows writes a query's rows as NDJSON.
type rows struct {
	q   millrace.Query
	buf *bytes.Buffer
}

func (r rows) WriteBatch(b *stream.Batch, from, to int) error {
	for i := from; i < to; i++ {
		row := []byte("{")
		for n, col := range r.q.Visible {
			if n > 0 {
				row = append(row, ',')
			}
			row = append(stream.AppendJSONString(row, r.q.Schema.Fields[col].Name), ':')
			row = stream.AppendJSON(row, b.Cols[col].Value(i))
		}
		r.buf.Write(append(row, '}', '\n'))
	}
	return nil
}
func (rows) Flush() error                  { return nil }
func (rows) Close() error                  { return nil }
func (rows) Abort()                        {}
func (rows) Snapshot(*state.Writer)        {}
func (rows) Restore(r *state.Reader) error { return r.End() }

// expected files of an archive are those behind the inputs: result*, *.out.*, errors, counts.
func expected(name string) bool {
	return strings.HasPrefix(name, "result") || strings.Contains(name, ".out.") || name == "errors" || name == "counts"
}

func (s *script) compare(t *testing.T, got printed, how string) {
	t.Helper()
	for _, f := range s.archive.Files {
		if want := string(f.Data); expected(f.Name) && got[f.Name] != want {
			t.Errorf("%s: %s:\n%s\nwant:\n%s", how, f.Name, got[f.Name], want)
		}
	}
}

func (s *script) write(t *testing.T, path string, got printed) {
	t.Helper()
	for i, f := range s.archive.Files {
		if expected(f.Name) {
			s.archive.Files[i].Data = []byte(got[f.Name])
		}
	}
	if err := os.WriteFile(path, txtar.Format(s.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func eachScript(t *testing.T, f func(t *testing.T, ctx context.Context, path string, s *script)) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			f(t, ctx, path, load(t, path))
		})
	}
}

// TestScripts runs every script in every mode.
func TestScripts(t *testing.T) {
	eachScript(t, func(t *testing.T, ctx context.Context, path string, s *script) {
		for _, m := range modes() {
			got, _, err := s.run(ctx, m, t.TempDir())
			if err != nil {
				t.Fatalf("%s: %v", m, err)
			}
			if *rewrite && m.engine == millrace.EngineReference {
				s.write(t, path, got)
			}
			s.compare(t, got, m.String())
		}
	})
}

// TestScriptsStopped stops every script after each number of tasks up to twenty and
// goes on with other workers and task sizes.
func TestScriptsStopped(t *testing.T) {
	stops := 0
	eachScript(t, func(t *testing.T, ctx context.Context, _ string, s *script) {
		r := rand.New(rand.NewPCG(1, 2))
		for after := int64(1); after <= 20; after++ {
			total, out := printed{}, t.TempDir()
			m := mode{engine: millrace.EngineMillrace, blockBytes: 32, stopAfter: after}
			for again := true; again; again = m.restore != nil {
				m.workers, m.taskBytes = 1+r.IntN(4), []int64{1, 100, 1000}[r.IntN(3)]
				got, snapshot, err := s.run(ctx, m, out)
				if err != nil {
					t.Fatalf("%s, from task %d on: %v", m, after, err)
				}
				total.add(got)
				if m.stopAfter, m.restore = 0, snapshot; snapshot == nil {
					break
				}
				stops++
				if m.restore, err = state.Decode(snapshot.Encode()); err != nil {
					t.Fatal(err)
				}
			}
			s.compare(t, total, fmt.Sprintf("stopped after %d tasks", after))
		}
	})
	t.Logf("%d stops", stops)
}
