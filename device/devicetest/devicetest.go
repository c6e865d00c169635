// Package devicetest is the suite that every device passes: the programs of package kernel,
// run on it for the operators' own random cases, give what the reference says - rows, their
// order, error rows. On the path of a row it stands nowhere; tests of the folders beside it
// call Run.
package devicetest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
	"github.com/millrace/millrace/stream"
)

// Sizes of the suite.
const (
	casesOfKind = 6 // random cases of each kind of operator; a third of them when testing.Short
	rounds      = 6 // in which each case's input is cut: see optest.Compare
	slotRows    = 3500
)

// Run runs the suite on a device: every operator that offers a part of its Batch which there
// is a kernel for is fed with what the device computes, in tasks from one row to more than its
// slots have room for. It logs how many inputs were accepted and why others were refused,
// and fails when nothing was computed there.
//
// A device without a compiler, which runs Program.Host only, refuses every program. The
// suite then checks that it says so in a *device.Refusal, and that everything is right all
// the same.
func Run(t *testing.T, d device.Device) {
	cases := uint64(casesOfKind)
	if testing.Short() {
		cases /= 3
	}
	var all suite
	for _, kind := range optest.Kinds {
		t.Run(kind, func(t *testing.T) {
			s := &suite{t: t, d: d, refused: map[string]int{}, redone: map[string]int{}}
			for i := range cases {
				seed := *optest.FirstSeed + i
				s.compare(optest.Random(kind, seed, supported), seed)
			}
			s.report()
			all.add(s)
		})
	}
	if all.compiles && (all.rows == 0 || all.groups == 0 || (all.failed == 0 || all.pairs == 0) && !testing.Short()) {
		t.Errorf("%d rows, %d groups, %d pairs, %d rows failed on the device: this compares nothing", all.rows, all.groups, all.pairs, all.failed)
	}
}

// supported reports whether there is a kernel for an expression.
func supported(e *model.Expr, in *stream.Schema) bool {
	rel := model.Relation{Schema: in, Time: -1}
	out := rel
	out.Schema = stream.NewSchema(stream.Field{Name: "x", Type: e.Type})
	op := &model.Operator{Kind: model.ProjectOp, Project: []*model.Expr{e}, Relation: out}
	_, err := kernel.NewSelection(operator.Side{Relation: rel, Steps: []*model.Operator{op}})
	return err == nil
}

// suite is the cases of one kind of operator.
type suite struct {
	t       *testing.T
	d       device.Device
	refused map[string]int // programs by reason
	redone  map[string]int // tasks that came back by reason, numbers left out
	// Of what ran on the device:
	programs, tasks, rows, groups, failed int
	jobs, pairs                           int  // of joins
	compiles                              bool // the device has taken a program
}

// compare runs one case.
func (s *suite) compare(c *optest.Case, seed uint64) {
	s.t.Helper()
	known := map[string]*program{}
	refused := map[string]bool{}
	c.Away = &optest.Away{Make: func(o operator.Offload) (func(*operator.Task) (string, error), error) {
		p, err := kernel.New(o)
		if err != nil {
			return nil, err
		}
		had, ok := known[p.Program().Source]
		if !ok {
			had = s.load(p)
			known[p.Program().Source] = had
		}
		if had.refusal != nil {
			return nil, had.refusal
		}
		if _, ok := p.(kernel.ResidentPipeline); ok { // every function has a table of its own
			had = &program{t: s.t, d: s.d, p: p, k: had.k, call: p.NewCall(), of: had}
			had.of.more = append(had.of.more, had)
		}
		return had.run, nil
	}}
	c.Away.Pairs = func(pairs operator.Pairs) (optest.Finder, error) {
		p, err := kernel.NewPairs(pairs)
		if err != nil {
			refused[err.Error()] = true
			return nil, err
		}
		had, ok := known[p.Program().Source]
		if !ok {
			had = s.load(p)
			known[p.Program().Source] = had
		}
		if had.refusal != nil {
			return nil, had.refusal
		}
		return had.find, nil
	}
	optest.Compare(s.t, c, seed, rounds)
	for _, p := range known {
		if p.refusal == nil {
			s.programs++
			for _, more := range append(p.more, p) {
				s.rows, s.groups, s.failed, s.pairs = s.rows+more.rows, s.groups+more.groups, s.failed+more.failed, s.pairs+more.pairs
				more.free()
			}
		}
	}
	for _, why := range c.Away.Refused {
		refused[why] = true
	}
	for why := range refused {
		s.refused[why]++
	}
	for why, n := range c.Away.Redone {
		s.redone[digits.ReplaceAllString(why, "N")] += n
	}
	s.tasks, s.jobs = s.tasks+c.Away.Tasks, s.jobs+c.Away.Jobs
}

var digits = regexp.MustCompile(`[0-9]+`)

// report logs what was compared.
func (s *suite) report() {
	s.t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %d programs accepted; %d tasks gave %d rows and %d groups, %d rows failed; %d jobs gave %d pairs",
		s.d.Info().ID, s.programs, s.tasks, s.rows, s.groups, s.failed, s.jobs, s.pairs)
	list(&text, "inputs refused", s.refused)
	list(&text, "tasks run again on the CPU", s.redone)
	s.t.Log(text.String())
}

func (s *suite) add(o *suite) {
	s.rows, s.groups, s.failed, s.pairs = s.rows+o.rows, s.groups+o.groups, s.failed+o.failed, s.pairs+o.pairs
	s.compiles = s.compiles || o.compiles
}

func list(to *strings.Builder, what string, reasons map[string]int) {
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(to, "\n  %s %d times: %s", what, reasons[why], why)
	}
}

// program is a pipeline ready to run, one task at a time.
type program struct {
	t            *testing.T
	d            device.Device
	p            kernel.Pipeline
	k            device.Kernel
	slot         device.Slot
	call         *device.Call
	result       kernel.Result
	refusal      *device.Refusal // instead of all that
	rows, groups int
	failed       int
	pairs        int
	of           *program // whose kernels these are
	more         []*program
}

func (s *suite) load(p kernel.Pipeline) *program {
	s.t.Helper()
	out := &program{t: s.t, d: s.d, p: p, call: p.NewCall()}
	var err error
	if out.k, err = s.d.Compile(p.Program()); errors.As(err, &out.refusal) {
		if out.refusal.Reason == "" || s.compiles {
			s.t.Fatalf("%v\n%s\n%s", err, out.refusal.Log, p.Program().Source)
		}
		return out
	}
	if err == nil {
		s.compiles = true
	} else {
		s.t.Fatal(err)
	}
	return out
}

// ready gives the program a slot, and a table if it has one.
func (p *program) ready() error {
	if p.slot != nil {
		return nil
	}
	if r, ok := p.p.(kernel.ResidentPipeline); ok {
		images, err := r.Resident()
		if err != nil {
			return err
		}
		for _, image := range images {
			m, err := p.d.NewResident(len(image))
			if err == nil {
				p.call.Resident = append(p.call.Resident, m)
				err = m.Write(image)
			}
			if err != nil {
				return err
			}
		}
	}
	var err error
	p.slot, err = p.d.NewSlot(p.p.Sizes(slotRows))
	return err
}

func (p *program) free() {
	if p.slot != nil {
		p.slot.Free()
	}
	for _, m := range p.call.Resident {
		m.Free()
	}
	if p.of == nil {
		p.k.Free()
	}
}

// run computes a task on the device.
func (p *program) run(t *operator.Task) (redo string, err error) {
	if err = p.ready(); err == nil {
		err = p.p.Load(t, p.slot, p.call)
	}
	if errors.Is(err, kernel.ErrTooManyRows) || errors.Is(err, kernel.ErrNoTable) {
		return err.Error(), nil
	}
	if err == nil {
		err = p.slot.Run(p.k, p.call)
	}
	if err == nil {
		_, err = p.slot.Wait()
	}
	if err != nil {
		return "", err
	}
	redo = p.p.Result(p.slot, t, &p.result)
	if t.Selected != nil {
		p.rows, p.failed = p.rows+t.Selected.Len, p.failed+len(t.Selected.Failed)
	}
	if t.Grouped != nil {
		p.groups, p.failed = p.groups+t.Grouped.Len, p.failed+len(t.Grouped.Failed)
	}
	return redo, nil
}

// find finds the pairs of windows on the device.
func (p *program) find(w *operator.Windows) (*operator.Paired, string, error) {
	t := &operator.Task{Windows: w}
	redo, err := p.run(t)
	if redo != "" || err != nil {
		return nil, redo, err
	}
	p.pairs += len(t.Paired.Left)
	return t.Paired, "", nil
}
