package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// console lets results, messages and the progress line share a screen: whoever
// writes takes the line away first. Its methods may be called from any goroutine.
type console struct {
	mu      sync.Mutex
	t       terminal
	line    bool   // the progress line is on the screen
	holder  *table // the table that wrote last
	written bool   // some table has written
	stopped bool   // a signal stopped the job
	typing  bool   // rows are typed here: no progress line between them

	// Tables that ended whole, by query; those before next have been shown.
	finished map[int][]byte
	next     int

	closed atomic.Bool // the reader of the results has gone away
}

// Write writes the rows of a sink that is standard output, which names it in its errors.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(p)
}

func (c *console) write(p []byte) (int, error) {
	if c.t.outTTY {
		c.erase()
	}
	n, err := c.t.out.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		c.closed.Store(true)
	}
	return n, err
}

// show writes results.
func (c *console) show(p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeResults(p)
}

func (c *console) writeResults(p []byte) error {
	_, err := c.write(p)
	if err == nil {
		return nil
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("cannot write standard output: %w", err)
}

// say writes a message line.
func (c *console) say(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	fmt.Fprintln(c.t.err, printableLines(text))
}

// status replaces the progress line; an empty text takes it away.
func (c *console) status(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if text == "" {
		c.erase()
		return
	}
	if limit := c.t.width() - 1; len(text) > limit {
		text = text[:max(limit, 0)]
	}
	fmt.Fprint(c.t.err, "\r"+text+"\x1b[K")
	c.line = true
}

func (c *console) erase() {
	if c.line {
		fmt.Fprint(c.t.err, "\r\x1b[K")
		c.line = false
	}
}

// finish takes the output of a table that ends, to be shown after those of earlier
// queries, unless one of these takes long. An output that is shown already is nil.
func (c *console) finish(query int, output []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished == nil {
		c.finished = map[int][]byte{}
	}
	c.finished[query] = output
	for {
		output, ok := c.finished[c.next]
		if !ok {
			break
		}
		delete(c.finished, c.next)
		c.next++
		if err := c.writeTable(output); err != nil {
			return err
		}
	}
	if len(c.finished) > 0 {
		time.AfterFunc(tablesWait, c.showFinished)
	}
	return nil
}

// showFinished shows tables although an earlier query has not ended.
func (c *console) showFinished() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, query := range slices.Sorted(maps.Keys(c.finished)) {
		// A failure to write is met again by the next write or by the next table's end.
		_ = c.writeTable(c.finished[query])
		c.finished[query] = nil
	}
}

// showTable shows the lines of a whole table.
func (c *console) showTable(lines []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeTable(lines)
}

// writeTable writes the lines of a whole table, or the head of one.
func (c *console) writeTable(lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	if c.written {
		lines = append([]byte{'\n'}, lines...)
	}
	c.written, c.holder = true, nil
	return c.writeResults(lines)
}
