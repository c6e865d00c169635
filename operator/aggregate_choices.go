package operator

import "fmt"

// Choices implements Chooser.
func (a *aggregate) Choices() []Choice {
	out := []Choice{a.groupChoice()}
	if a.form == wholeInput || a.form == carriedRuns {
		return out
	}
	return append(out, a.windowChoice(), a.slideChoice())
}

func (a *aggregate) groupChoice() Choice {
	c := Choice{Part: "groups", Taken: a.uses.taken(usedTableRows, usedIndex)}
	if a.wholeKeys() {
		c.Algorithm, c.Reason = "table by key, or hash table of words", "keys are whole numbers, which pack into a word by their ranges"
		return c
	}
	switch a.layout.form {
	case noKey:
		c.Algorithm, c.Reason = "one", "there is no key"
	case oneWord:
		c.Algorithm, c.Reason = "hash table of words", "keys fit 64 bits"
	case twoWords:
		c.Algorithm, c.Reason = "hash table of pairs of words", "keys fit 128 bits"
	default:
		c.Algorithm, c.Reason = "hash table of bytes", "keys have text, or are wider than 128 bits"
	}
	return c
}

func (a *aggregate) windowChoice() Choice {
	c := Choice{Part: "windows", Algorithm: "assembled from panes, in order", Taken: a.uses.taken(usedLocal, usedAssembled)}
	switch forced := a.env.Force.Windows; {
	case forced == "assembled":
		c.Reason = "forced"
	case a.local == nil:
		c.Reason = a.notLocal
	default:
		if off := a.history.off.Load(); off != nil {
			c.Reason = *off
			return c
		}
		c.Algorithm = "by the task in which they end, or assembled"
		c.Reason = "values can be subtracted exactly; by task while the rows it has to begin from are few beside its own"
	}
	return c
}

func (a *aggregate) slideChoice() Choice {
	if a.grid.Grows {
		return Choice{Part: "slide", Algorithm: "growing", Reason: "panes are added to one table, which is shown at every step"}
	}
	if a.slide == nil {
		return Choice{Part: "slide", Algorithm: "none", Reason: "windows do not overlap"}
	}
	return Choice{Part: "slide", Algorithm: "two stacks", Reason: fmt.Sprintf("up to %d windows share a pane; nothing is subtracted", a.grid.Slides())}
}

// Choices implements Chooser.
func (a *after) Choices() []Choice {
	if c, ok := a.Function.(Chooser); ok {
		return c.Choices()
	}
	return nil
}

// Choices implements Chooser.
func (j *joinPlan) Choices() []Choice {
	c := Choice{Part: "pairs", Taken: j.uses.taken(usedHash, usedFound)}
	switch keys := len(j.op.Join.LeftKeys) > 0; {
	case j.env.Force.Join == "theta":
		c.Algorithm, c.Reason = "every pair of a window", "forced"
	case keys:
		c.Algorithm, c.Reason = "hash of the right rows of a window", "the sides have equal columns"
	case j.compared:
		c.Algorithm, c.Reason = "blocks of pairs as bitmaps", "the sides are compared, and not for equality"
	default:
		c.Algorithm, c.Reason = "every pair of a window", "no condition compares a column of one side with the other side's"
	}
	order := Choice{Part: "order", Algorithm: "windows in turn", Taken: j.uses.taken(usedInTurn, usedJobs)}
	order.Reason = "there is one worker"
	switch {
	case len(order.Taken) == 0: // before the first window the plan's choices, of any number of workers
		return []Choice{c}
	case j.env.Pairs:
		order.Algorithm, order.Reason = "windows side by side, put out in order", "devices may find their pairs"
	case j.lanes:
		order.Algorithm, order.Reason = "windows side by side, put out in order", "there are several workers"
	}
	return []Choice{c, order}
}
