package reference

import (
	"slices"
	"sort"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// An instant region - from the per-instant windows to an Emit - is a tree of nodes, and
// at every instant the whole tree is evaluated: each window says what it contains, and
// filters, projections, joins and the aggregate are applied to that.
//
// What an instant has in common with the one before is recognised by identity: an item
// is a row (or a pair of rows, or the row of a group) that exists for a while. A node
// gives the same item again as long as it comes from the same origins unchanged. So an
// expression is evaluated once for each item - a row that fails makes one error row,
// not one per instant - and the items that were not there before are what is new.

// item is a row of a node's relation as long as it exists. It is known by its address.
type item struct{ row Row }

// instant is a moment at which a region is evaluated.
type instant struct {
	time int64 // event time, if the streams have one
	seen []int // of each stream, how many rows have come
}

// node computes the relation of one operator at an instant. Instants are asked for in
// order, one of them possibly several times.
type node interface {
	at(now instant) []*item
}

// windowNode is a window's contents, in stream order.
type windowNode struct {
	stream int // number of the region's stream
	window *model.Window
	items  []*item
	times  []int64  // event times; nil without
	keys   []string // partition keys; PartitionRows only

	taken int              // PartitionRows: rows that have come so far
	last  map[string][]int // the last of them of each key
	gone  map[int]bool     // and those that no longer are
}

func (n *windowNode) at(now instant) []*item {
	to := now.seen[n.stream]
	switch n.window.Kind {
	case model.RowsInstant:
		return n.items[max(0, to-int(min(n.window.Size, int64(to)))):to]
	case model.RangeInstant:
		from := sort.Search(to, func(i int) bool { return n.times[i] > now.time-n.window.Size })
		return n.items[from:to]
	}
	for ; n.taken < to; n.taken++ {
		n.take(n.taken)
	}
	var out []*item
	for row, it := range n.items[:to] {
		if !n.gone[row] {
			out = append(out, it)
		}
	}
	return out
}

// take adds a row to the last of its key and removes the oldest if there are too many.
func (n *windowNode) take(row int) {
	last := append(n.last[n.keys[row]], row)
	if int64(len(last)) > n.window.Size {
		n.gone[last[0]] = true
		last = last[1:]
	}
	n.last[n.keys[row]] = last
}

// stepNode applies a step to every row.
type stepNode struct {
	in   node
	f    step
	log  *log
	made map[*item][]*item // what the items of the instant before gave
}

func (n *stepNode) at(now instant) []*item {
	var out []*item
	made := map[*item][]*item{}
	for _, it := range n.in.at(now) {
		results, known := n.made[it]
		if !known {
			for _, row := range n.f(n.log, it.row) {
				results = append(results, &item{row})
			}
		}
		made[it] = results
		out = append(out, results...)
	}
	n.made = made
	return out
}

// pairNode joins rows that carry their key as last column.
type pairNode struct {
	op          *model.Operator
	schema      *stream.Schema
	left, right node
	log         *log
	made        map[[2]*item]*item // nil: the pair does not match
}

func (n *pairNode) at(now instant) []*item {
	left, right := n.left.at(now), n.right.at(now)
	byKey := map[string][]*item{}
	for _, it := range right {
		_, key := splitKey(it.row)
		byKey[key] = append(byKey[key], it)
	}
	var out []*item
	made := map[[2]*item]*item{}
	for _, l := range left {
		row, key := splitKey(l.row)
		for _, r := range byKey[key] {
			origin := [2]*item{l, r}
			pair, known := n.made[origin]
			if !known {
				match, _ := splitKey(r.row)
				if joined, ok := matchPair(n.log, n.op, n.schema, row, match); ok {
					pair = &item{joined}
				}
			}
			made[origin] = pair
			if pair != nil {
				out = append(out, pair)
			}
		}
	}
	n.made = made
	return out
}

// groupNode aggregates contributions (aggregate.go). Groups are in order of their keys.
type groupNode struct {
	aggregate *model.Aggregate
	in        node
	log       *log
	made      map[string]*item // groups of the instant before; nil: out of range
}

func (n *groupNode) at(now instant) []*item {
	rows := stepEntries(n.in.at(now))
	groups := collect(n.aggregate, window{rows: rows}, &previous{}, false)
	if len(groups) == 0 && len(n.aggregate.Keys) == 0 {
		groups = []*group{newGroup(n.aggregate, "", nil)}
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return orderRows(a.keys, b.keys) })
	var out []*item
	made := map[string]*item{}
	for _, g := range groups {
		before, known := n.made[g.key]
		row, reason := g.result(n.aggregate)
		switch {
		case reason != "" && (!known || before != nil):
			n.log.overflow(reason, g.keys, nil)
			made[g.key] = nil
			continue
		case reason != "":
			made[g.key] = nil
			continue
		case before == nil || !same(before.row, row):
			before = &item{row}
		}
		made[g.key] = before
		out = append(out, before)
	}
	n.made = made
	return out
}

func stepEntries(items []*item) []entry {
	out := make([]entry, len(items))
	for i, it := range items {
		out[i] = entry{i, it.row}
	}
	return out
}

// same reports whether two rows show the same values.
func same(a, b Row) bool {
	return slices.EqualFunc(a, b, func(x, y stream.Value) bool {
		return x.Null == y.Null && (x.Null || x.String() == y.String())
	})
}
