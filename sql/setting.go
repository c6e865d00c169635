package sql

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/millrace/millrace/internal/zone"
)

// Settings are what SET statements say about a job. But for the time zone they never change
// its results, only how they are computed and shown. The zero value of each is: not set.
type Settings struct {
	LatencyTarget time.Duration
	Workers       int
	TaskBytes     int64
	MemoryBytes   int64
	Processors    string
	Scheduler     string
	Format        string
	TimeZone      string // the session's, by its name

	zone  *zone.Zone // nil: UTC
	blame map[string]func(error) error
}

// Blame shows an error as one of the value that a setting was given, if it was.
func (s *Settings) Blame(name string, err error) error {
	if blame := s.blame[name]; blame != nil {
		return blame(err)
	}
	return err
}

// LatencyTargetMin is the shortest latency target: the engine's clocks look no oftener.
const LatencyTargetMin = time.Millisecond

// WorkersMax is the number of workers above which a number is taken for a mistake.
const WorkersMax = 1024

// Setting describes a setting to users.
type Setting struct{ Name, Default, About string }

// AllSettings are the settings, by name.
func AllSettings() []Setting {
	var out []Setting
	for _, name := range keys(settings) {
		out = append(out, Setting{name, settings[name].standard, settings[name].about})
	}
	return out
}

// settingNode is SET name = value. The value is an option's, or an interval.
type settingNode struct {
	optionNode
	interval bool
	micros   int64
}

// settingKind is one setting: what it is for, and how a value is taken over. take says what
// is wrong with a value, and what a right one looks like.
type settingKind struct {
	standard, about string
	take            func(n *settingNode, s *Settings) (why, write string)
}

const (
	latencyTarget = "latency_target"
	timeZone      = "time_zone"
	sizeExample   = "write for example '4MiB'"
)

var settings = map[string]settingKind{
	latencyTarget: {"none", "cut smaller tasks where 99 of 100 would take longer than this", (*settingNode).takeLatency},
	"workers":     {"all cores", "threads of a job", (*settingNode).takeWorkers},
	"task_size":   {"1 MiB", "bytes of input that make a task", func(n *settingNode, s *Settings) (why, write string) { return n.takeSize(&s.TaskBytes) }},
	"memory":      {"512 MiB for each buffer", "what rows that wait may use; a job that needs more fails", func(n *settingNode, s *Settings) (why, write string) { return n.takeSize(&s.MemoryBytes) }},
	"processors":  {"auto", "what runs tasks: auto, or cpu, opencl, cuda, sim, with commas", func(n *settingNode, s *Settings) (why, write string) { return n.takeText(&s.Processors) }},
	"scheduler": {"hls", "who runs a task, if there are devices: hls, fcfs or static", func(n *settingNode, s *Settings) (why, write string) {
		return n.takeText(&s.Scheduler, "hls", "fcfs", "static")
	}},
	timeZone: {"UTC", "whose clock TIMESTAMP_LTZ has: a name such as Europe/Zurich, or an offset", (*settingNode).takeZone},
	"format": {"table on a terminal, else ndjson", "of results: table, ndjson or csv", func(n *settingNode, s *Settings) (why, write string) {
		return n.takeText(&s.Format, "table", "ndjson", "csv")
	}},
}

// foreignSettings are what other systems call a setting, or why there is none.
var foreignSettings = map[string]string{
	"parallelism.default": "write SET workers = n", "parallelism": "write SET workers = n", "threads": "write SET workers = n",
	"max_parallel_workers": "write SET workers = n", "spark.sql.shuffle.partitions": "write SET workers = n", "job.parallelism": "write SET workers = n",
	"memory_limit": "write SET memory = '1GiB'", "work_mem": "write SET memory = '1GiB'", "max_memory": "write SET memory = '1GiB'",
	"sql-client.execution.result-mode": "write SET format = 'table'", "output_format": "write SET format = 'table'",
	"execution.runtime-mode": "leave it out: whether input ends depends on the connectors", "pipeline.name": "leave it out: jobs have no names",
	"time":                             "write SET TIME ZONE 'Europe/Zurich'",
	"auto.offset.reset":                "leave it out: files are read from the start",
	"table.exec.state.ttl":             "leave it out: a window says how long rows are kept",
	"search_path":                      "there is one name space; use plain names",
	"execution.checkpointing.interval": "checkpoints are not built yet",
	"parallel":                         "write SET workers = n", "batch_size": "write SET task_size = '1MiB'",
}

func settingHint(key string) string {
	if hint := foreignSettings[key]; hint != "" {
		return hint
	}
	if hint := suggest(key, keys(settings)); hint != "" {
		return hint
	}
	return "there are " + strings.Join(keys(settings), ", ") + "; variables of a script are given with --set name=value"
}

// setting reads SET name = value, or Flink's SET 'name' = 'value' or PostgreSQL's TO, or
// SET alone, which shows the settings.
func (p *parser) setting(s *statement) {
	if s.explain {
		p.fail(p.peek().span, "write the SET before EXPLAIN and the query", "EXPLAIN shows queries")
	}
	p.next()
	if p.peek().kind == endToken || p.isSymbol(";") {
		s.kind, s.show = showStatement, &showNode{kind: ShowSettings}
		return
	}
	if p.isWord("time") && p.isWordAt(1, "zone") {
		s.kind, s.setting = setStatement, p.timeZone()
		return
	}
	_ = p.isWordAt(1, "=") || (p.isWord("session", "local", "global") && p.peekAt(1).kind == wordToken && p.acceptWords(p.peek().text))
	n := &settingNode{}
	n.key, n.keyAt = p.optionKey()
	n.key = settingName(n.key)
	if !p.acceptWords("to") {
		p.expect("=")
	}
	at := p.peek()
	switch {
	case p.isWord("interval"):
		n.interval, n.micros = true, p.intervalLiteral()
		n.valueAt = at.span.join(p.last())
	case at.kind == wordToken && at.text != "true" && at.text != "false":
		p.next() // SET format = csv
		n.value, n.valueAt = at.text, at.span
	default:
		p.optionValue(&n.optionNode)
	}
	s.kind, s.setting = setStatement, n
}

// set takes a SET statement over into the result. It counts for the whole job, wherever
// it stands, and can therefore be there once.
func (r *resolver) set(s *statement) error {
	n, all := s.setting, &r.result.Settings
	kind, known := settings[n.key]
	if !known {
		return r.fail(n.keyAt, settingHint(n.key), "setting %q does not exist", n.key)
	}
	if all.blame[n.key] != nil {
		return r.fail(s.span, "a script is one job; leave one out", "%s is set twice", n.key)
	}
	blame := func(err error) error { return r.fail(n.valueAt, "", "%s", err) }
	if why, write := kind.take(n, all); why != "" {
		return r.fail(n.valueAt, write, "%s", why)
	}
	if all.blame == nil {
		all.blame = map[string]func(error) error{}
	}
	all.blame[n.key] = blame
	return nil
}

// otherSettings are other systems' names of settings that mean the same.
var otherSettings = map[string]string{"table.local-time-zone": timeZone, "timezone": timeZone}

func settingName(written string) string {
	name := strings.ToLower(written)
	if other, ok := otherSettings[name]; ok {
		return other
	}
	return name
}

// timeZone reads SET TIME ZONE 'zone', PostgreSQL's form, in which DEFAULT is UTC.
func (p *parser) timeZone() *settingNode {
	n := &settingNode{}
	n.key, n.keyAt = timeZone, p.next().span
	n.keyAt = n.keyAt.join(p.next().span)
	if t := p.peek(); p.acceptWords("default") {
		n.value, n.valueAt, n.quoted = zone.UTC.String(), t.span, true
		return n
	}
	if t := p.peek(); t.kind != stringToken {
		p.fail(t.span, "write SET TIME ZONE 'Europe/Zurich'", "expected the name of a time zone, found %s", t.show())
		return n
	}
	p.optionValue(&n.optionNode)
	return n
}

func (n *settingNode) takeZone(s *Settings) (why, write string) {
	z, err := zone.Load(n.value)
	if err != nil || n.interval {
		return "time zone \"" + shorten(n.value) + "\" does not exist", zoneHint(n.value)
	}
	s.TimeZone, s.zone = z.String(), z
	return "", ""
}

func (n *settingNode) takeLatency(s *Settings) (why, write string) {
	if !n.interval {
		why := "it needs quotes and a unit"
		if n.quoted {
			n.micros, why = parseDuration(n.value)
		}
		if why != "" {
			return `setting "latency_target" needs a duration: ` + why, "write for example '5ms'"
		}
	}
	if n.micros < LatencyTargetMin.Microseconds() {
		return "a latency target is at least " + LatencyTargetMin.String(), "write for example '5ms', or leave the SET out for no target"
	}
	s.LatencyTarget = time.Duration(min(n.micros, math.MaxInt64/1000)) * time.Microsecond
	return "", ""
}

func (n *settingNode) takeWorkers(s *Settings) (why, write string) {
	count, err := strconv.Atoi(n.value)
	if err != nil || count < 1 || count > WorkersMax || n.interval {
		return `setting "workers" needs a number from 1 to ` + strconv.Itoa(WorkersMax), "write for example SET workers = 4"
	}
	s.Workers = count
	return "", ""
}

func (n *settingNode) takeSize(to *int64) (why, write string) {
	bytes, err := ParseSize(n.value)
	if err != nil || n.interval {
		return "setting \"" + n.key + "\" needs a size", sizeExample
	}
	*to = bytes
	return "", ""
}

// takeText takes one of the words, or any text if there are none.
func (n *settingNode) takeText(to *string, words ...string) (why, write string) {
	value := strings.ToLower(n.value)
	if n.interval || value == "" || len(words) > 0 && !slices.Contains(words, value) {
		hint := suggest(value, words)
		if hint == "" {
			hint = "write one of '" + strings.Join(words, "', '") + "'"
		}
		return "setting \"" + n.key + "\" cannot be \"" + shorten(n.value) + "\"", hint
	}
	*to = value
	return "", ""
}

// ParseSize reads a number of bytes such as 1MiB, 64KB or 4096.
func ParseSize(text string) (int64, error) {
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return 0, errors.New("want a size such as 64KiB, 1MiB, 2GB or a number of bytes")
	}
	return int64(n), nil
}
