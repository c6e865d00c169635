package operator

import (
	"fmt"
	"slices"
	"strings"
)

// Choices force what an operator otherwise chooses by itself: which algorithm it runs.
// Every algorithm gives the same rows in the same order, so tests force each of them at
// random; nothing else should. An operator whose work an algorithm cannot do ignores the
// choice. The zero value leaves everything open.
type Choices struct {
	Group   string // "packed" (whole numbers by words of few bits), "hash"
	Windows string // "local" (a task computes whole windows), "assembled" (panes are merged in order)
	Join    string // "theta" (every pair), "hash" (row by row), "bitmap" (blocks of pairs, one test at a time)
	Order   string // "turn" (a join's windows one after the other), "lanes" (side by side)
	Tasks   string // "vary": the engine's tasks change their size all the time, to a 64th
	Times   string // "based": sources leave event times without their base
	Vector  string // "off": no vector instructions and no kernels that need them
}

// Knob is one of the choices and the values it takes besides "".
type Knob struct {
	Name   string
	Values []string
	field  func(c *Choices) *string
}

// Knobs lists all choices.
func Knobs() []Knob {
	return []Knob{
		{"group", []string{"packed", "hash"}, func(c *Choices) *string { return &c.Group }},
		{"windows", []string{"local", "assembled"}, func(c *Choices) *string { return &c.Windows }},
		{"join", []string{"theta", "hash", "bitmap"}, func(c *Choices) *string { return &c.Join }},
		{"order", []string{"turn", "lanes"}, func(c *Choices) *string { return &c.Order }},
		{"tasks", []string{"vary"}, func(c *Choices) *string { return &c.Tasks }},
		{"times", []string{"based"}, func(c *Choices) *string { return &c.Times }},
		{"vector", []string{"off"}, func(c *Choices) *string { return &c.Vector }},
	}
}

// Set gives the knob a value; "" leaves the choice open.
func (k Knob) Set(c *Choices, value string) { *k.field(c) = value }

// Check returns an error if a choice has a value that does not exist.
func (c Choices) Check() error {
	for _, k := range Knobs() {
		if v := *k.field(&c); v != "" && !slices.Contains(k.Values, v) {
			return fmt.Errorf("%s cannot be forced to be %q; it is one of %s", k.Name, v, strings.Join(k.Values, ", "))
		}
	}
	return nil
}

// String lists what is forced as "group=hash join=theta", or is empty.
func (c Choices) String() string {
	var forced []string
	for _, k := range Knobs() {
		if v := *k.field(&c); v != "" {
			forced = append(forced, k.Name+"="+v)
		}
	}
	return strings.Join(forced, " ")
}

// Plain are the algorithms that serve every query, without those that are chosen
// because they are faster for some.
func Plain() Choices {
	return Choices{Group: "hash", Windows: "assembled", Order: "turn", Vector: "off"}
}

// Over returns c with what it leaves open as in other.
func (c Choices) Over(other Choices) Choices {
	for _, k := range Knobs() {
		if f := k.field(&c); *f == "" {
			*f = *k.field(&other)
		}
	}
	return c
}

// Choice is which of several algorithms an operator runs for a part of its work.
type Choice struct {
	Part      string `json:"part"`      // "groups", "windows", ..
	Algorithm string `json:"algorithm"` // a few words
	Reason    string `json:"reason"`
	// Taken is how many tasks, or windows of a join, each algorithm has computed so far.
	Taken map[string]int64 `json:"taken,omitempty"`
}

// Chooser is a Function that has a choice. Before the first task it tells what types and
// windows decide, later also what the rows have decided. Choices may be called at any
// time, side by side with everything else.
type Chooser interface {
	Choices() []Choice
}
