package operator

import (
	"fmt"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// Computer fills the computed columns of a source's batches. It is immutable and
// shared by the workers that decode.
type Computer struct {
	prog    *Program
	reads   []bool // columns that the expressions read
	targets []computed
}

// computed is a column to fill: with expression number expr.
type computed struct {
	column int
	keep   bool // somebody reads it; else it is evaluated for its failures only
	typ    stream.Type
}

// FailedRow is a row of a batch that must not go on.
type FailedRow struct {
	Row    int
	Reason string
}

// NewComputer compiles the computed columns of a source that are needed (nil: all) or
// may fail.
func NewComputer(src *model.Operator, need []bool) (*Computer, error) {
	schema := src.Relation.Schema
	c := &Computer{reads: make([]bool, schema.Len())}
	var exprs []*model.Expr
	for i, e := range src.Source.Computed {
		if e == nil {
			continue
		}
		keep := need == nil || need[i]
		if !keep && !e.MayErr() {
			continue
		}
		markColumns(c.reads, e)
		exprs = append(exprs, e)
		c.targets = append(c.targets, computed{i, keep, schema.Fields[i].Type})
	}
	prog, err := Compile(exprs, schema)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Name, err)
	}
	c.prog = prog
	return c, nil
}

// Empty reports whether there is nothing to compute.
func (c *Computer) Empty() bool { return len(c.targets) == 0 }

// ComputerScratch is one goroutine's working memory for a Computer.
type ComputerScratch struct {
	prog   *ProgramScratch
	sliced sliced
	failed []FailedRow
}

// NewScratch returns working memory for one goroutine.
func (c *Computer) NewScratch() *ComputerScratch {
	return &ComputerScratch{prog: c.prog.NewScratch(), sliced: newSliced(len(c.reads))}
}

// Compute fills the computed columns of b, whose physical columns are decoded. It
// returns the rows that failed, ascending, for the caller to remove; their computed
// values are unspecified. The result is valid until the next call.
func (c *Computer) Compute(s *ComputerScratch, b *stream.Batch) []FailedRow {
	s.failed = s.failed[:0]
	for _, t := range c.targets {
		if t.keep {
			b.Cols[t.column].Reset(t.typ)
		}
	}
	if c.Empty() {
		return nil
	}
	for from := 0; from < b.Len; from += ChunkRows {
		to := min(b.Len, from+ChunkRows)
		for i, read := range c.reads {
			if read {
				s.sliced.slice(i, &b.Cols[i], from, to)
			}
		}
		out, bad := c.prog.Eval(s.prog, s.sliced.cols, to-from)
		for k, t := range c.targets {
			if t.keep {
				b.Cols[t.column].AppendRange(&out[k], 0, to-from, from)
			}
		}
		if bad != nil {
			bad.Rows.Each(to-from, func(i int) {
				s.failed = append(s.failed, FailedRow{from + i, bad.Reason(i)})
			})
		}
	}
	return s.failed
}

// NullRows appends to rows the indexes of the NULLs among the first n values of c,
// ascending: how a source finds rows without event time.
func NullRows(c *stream.Column, n int, rows []int32) []int32 {
	if c.Valid == nil {
		return rows
	}
	for w := range stream.WordsFor(n) {
		word := ^c.Valid[w]
		if r := n - w<<6; r < 64 {
			word &= 1<<uint(r) - 1
		}
		for ; word != 0; word &= word - 1 {
			rows = append(rows, int32(w<<6+trailing(word)))
		}
	}
	return rows
}
