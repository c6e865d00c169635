// Package optimize makes a model better without changing what it means: the
// catalogue of optimizations, one file each, in one ordered list. On the path of a
// statement it stands between the front end, which says what is wanted, and bind,
// which decides where it runs. Entry point: Run.
//
// Every optimization is a value of type Optimization: it finds the sites in a model
// where it could apply, says for each whether that is safe and whether it pays, and
// rewrites, or notes a decision for bind. All of it is kept in a Record, which EXPLAIN
// prints: where it applied, where it declined, and why. Needed says, after all
// rewriting, which columns travel.
package optimize

import (
	"fmt"
	"sort"
	"strings"

	"github.com/millrace/millrace/model"
)

// Optimization is one entry of the catalogue.
type Optimization struct {
	Name    string // its switch
	Summary string // one line for EXPLAIN and help
	// Sites lists where it could apply, in a fixed order.
	Sites func(m *model.Model) []Site
	// Safe returns why applying it at the site could change results, or "".
	Safe func(m *model.Model, s Site) string
	// Profit estimates what applying it there gains. It is asked only where it is safe.
	Profit func(m *model.Model, s Site) Estimate
	// Apply returns the rewritten model; it does not change m, though both may share
	// operators and expressions. Nil for an optimization that notes decisions.
	Apply func(m *model.Model, s Site) *model.Model
	// Note writes a decision into the result and leaves the model alone. Such an entry
	// stands behind those that rewrite: operators keep their numbers from there on.
	Note func(r *Result, s Site)
}

// Site is a place in a model: the operators in question by ID, and how to tell a user.
// Detail is the optimization's own (which of its rewritings, for instance).
type Site struct {
	Ops    []model.OpID
	Detail string
	Text   string
}

// Estimate is what an optimization expects to gain at a site.
type Estimate struct {
	Pays bool
	Text string // in words and numbers
}

// Switches turn optimizations off by name; absent means on.
type Switches map[string]bool

// Record is what one optimization did to one model.
type Record struct {
	Name     string
	Off      bool     // switched off
	Applied  []string // site and gain
	Declined []string // site and reason
}

// Result is a model made better.
type Result struct {
	Model   *model.Model
	Needed  Needed
	Fused   Fused
	Records []Record // in the order of the catalogue
}

// RewritesMax bounds how often one optimization rewrites one model. A catalogue entry
// that has not come to rest by then is a bug; Run stops it and says so in the record.
const RewritesMax = 10_000

// Catalogue returns the optimizations in the order in which Run takes them. Redundancy
// is first, because what is dropped need not be moved, and what is shared shows to those
// behind it as one; dead operators cannot reappear, since none of the others leaves any.
// Self-join comes before reorder, which would move filters between a join and its sides.
// Fusion and selection are last: they decide about the operators that are left.
func Catalogue() []Optimization {
	return []Optimization{Redundancy, SelfJoin, Reorder, Fusion, Selection}
}

// ParseSwitches reads the form of the command line: "-reorder,+redundancy" or
// "none" or "all". Later items win.
func ParseSwitches(text string) (Switches, error) {
	known := map[string]bool{}
	var names []string
	for _, o := range Catalogue() {
		known[o.Name] = true
		names = append(names, o.Name)
	}
	s := Switches{}
	for _, item := range strings.Split(text, ",") {
		item = strings.TrimSpace(item)
		name := strings.TrimLeft(item, "+-")
		switch {
		case item == "" || item == "all":
			clear(s)
		case item == "none":
			for n := range known {
				s[n] = false
			}
		case !known[name]:
			sort.Strings(names)
			return nil, fmt.Errorf("there is no optimization %q; the switches are %s, all and none", name, strings.Join(names, ", "))
		default:
			s[name] = !strings.HasPrefix(item, "-")
		}
	}
	return s, nil
}

// On reports whether an optimization is switched on.
func (s Switches) On(name string) bool {
	on, said := s[name]
	return on || !said
}

// Run applies the catalogue to a verified model. The model given is not changed. An
// error means that an optimization broke the model, which is a bug in it.
func Run(m *model.Model, switches Switches) (*Result, error) {
	r := &Result{Model: m, Fused: Fused{Front: map[model.OpID]bool{}, Behind: map[model.OpID]bool{}}}
	for _, o := range Catalogue() {
		rec := Record{Name: o.Name, Off: !switches.On(o.Name)}
		switch {
		case rec.Off:
		case o.Note != nil:
			r.note(&o, &rec)
		default:
			if err := r.apply(&o, &rec); err != nil {
				return nil, err
			}
		}
		r.Records = append(r.Records, rec)
	}
	fuseWindows(r)
	r.Needed = FindNeeded(r.Model)
	return r, nil
}

// note decides about every site once.
func (r *Result) note(o *Optimization, rec *Record) {
	for _, s := range o.Sites(r.Model) {
		if o.decide(r.Model, s, rec) {
			o.Note(r, s)
		}
	}
}

// decide asks whether to apply an optimization at a site and keeps the answer.
func (o *Optimization) decide(m *model.Model, s Site, rec *Record) bool {
	if reason := o.Safe(m, s); reason != "" {
		rec.Declined = append(rec.Declined, s.Text+": "+reason)
		return false
	}
	gain := o.Profit(m, s)
	if !gain.Pays {
		rec.Declined = append(rec.Declined, s.Text+": "+gain.Text)
		return false
	}
	rec.Applied = append(rec.Applied, s.Text+": "+gain.Text)
	return true
}

// apply rewrites at the first safe and profitable site, again and again until none is
// left. What was declined in the last round stands in the record.
func (r *Result) apply(o *Optimization, rec *Record) error {
	for range RewritesMax {
		next, done := o.round(r.Model, rec)
		if done {
			return nil
		}
		if err := model.Verify(next); err != nil {
			return fmt.Errorf("optimization %s after %q: %w", o.Name, rec.Applied[len(rec.Applied)-1], err)
		}
		r.Model = next
	}
	rec.Declined = append(rec.Declined, fmt.Sprintf("stopped after %d rewrites", RewritesMax))
	return nil
}

func (o *Optimization) round(m *model.Model, rec *Record) (next *model.Model, done bool) {
	rec.Declined = nil
	for _, s := range o.Sites(m) {
		if o.decide(m, s, rec) {
			return o.Apply(m, s), false
		}
	}
	return nil, true
}
