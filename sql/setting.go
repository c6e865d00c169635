package sql

import (
	"math"
	"time"
)

// Settings are what SET statements say about a job. They never change its results.
type Settings struct {
	LatencyTarget time.Duration // 0: none
}

// LatencyTargetMin is the shortest latency target: the engine's clocks look no oftener.
const LatencyTargetMin = time.Millisecond

// settingNode is SET name = value. The value is an option's, or an interval.
type settingNode struct {
	optionNode
	interval bool
	micros   int64
}

const latencyTarget = "latency_target"

// setting reads SET name = value, or Flink's SET 'name' = 'value' or PostgreSQL's TO.
func (p *parser) setting(s *statement) {
	if s.explain {
		p.fail(p.peek().span, "write the SET before EXPLAIN and the query", "EXPLAIN shows queries")
	}
	p.next()
	n := &settingNode{}
	n.key, n.keyAt = p.optionKey()
	if !p.acceptWords("to") {
		p.expect("=")
	}
	if at := p.peek().span; p.isWord("interval") {
		n.interval, n.micros = true, p.intervalLiteral()
		n.valueAt = at.join(p.last())
	} else {
		p.optionValue(&n.optionNode)
	}
	s.kind, s.setting = setStatement, n
}

// set takes a SET statement over into the result. It counts for the whole job, wherever
// it stands, and can therefore be there once.
func (r *resolver) set(s *statement) error {
	n := s.setting
	if n.key != latencyTarget {
		hint := suggest(n.key, []string{latencyTarget})
		if hint == "" {
			hint = "there is " + latencyTarget + "; give other settings as flags of the command, and variables with --set name=value"
		}
		return r.fail(n.keyAt, hint, "setting %q does not exist", n.key)
	}
	if r.result.Settings.LatencyTarget != 0 {
		return r.fail(s.span, "a script is one job; leave one out", "%s is set twice", n.key)
	}
	if !n.interval {
		why := "it needs quotes and a unit"
		if n.quoted {
			n.micros, why = parseDuration(n.value)
		}
		if why != "" {
			return r.fail(n.valueAt, "write for example '5ms'", "setting %q needs a duration: %s", n.key, why)
		}
	}
	if n.micros < LatencyTargetMin.Microseconds() {
		return r.fail(n.valueAt, "write for example '5ms', or leave the SET out for no target", "a latency target is at least %v", LatencyTargetMin)
	}
	r.result.Settings.LatencyTarget = time.Duration(min(n.micros, math.MaxInt64/1000)) * time.Microsecond
	return nil
}
