package bench

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strconv"
)

// Chart is what a sweep measured.
type Chart struct {
	Title, XLabel string
	Series        []Series
}

// Series is one line of a chart, in the order in which it was measured.
type Series struct {
	Name    string
	X       []float64
	Results []*Result
}

func (c *Chart) add(series string, x float64, r *Result) {
	at := slices.IndexFunc(c.Series, func(s Series) bool { return s.Name == series })
	if at < 0 {
		at = len(c.Series)
		c.Series = append(c.Series, Series{Name: series})
	}
	s := &c.Series[at]
	s.X, s.Results = append(s.X, x), append(s.Results, r)
}

// The picture's measures, in pixels.
const (
	plotWidth, plotHeight            = 560, 300
	plotLeft, plotTop                = 70, 60
	plotRight, plotBottom            = 150, 60
	plotGap                          = 90 // between panels
	ticksAim                         = 5
	logFromRatio                     = 16 // an axis is logarithmic if its ends are so far apart
	dotRadius, whiskerHalf, tickSize = 3, 4, 5
)

// Colours that can be told apart by everybody (Okabe and Ito).
var plotColours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// panel is one diagram: a value with its ends per point.
type panel struct {
	label string
	value func(r *Result) Spread
}

func (c *Chart) panels() []panel {
	out := []panel{{"million rows in/s", func(r *Result) Spread { return r.RowsPerSecond.times(1e-6) }}}
	for _, s := range c.Series {
		for _, r := range s.Results {
			if r.Latency == nil {
				return out
			}
		}
	}
	return append(out, panel{"latency, ms: p50, with p99 above", func(r *Result) Spread {
		return Spread{Median: r.Latency.P50, Min: r.Latency.P50, Max: r.Latency.P99}
	}})
}

func (s Spread) times(f float64) Spread { return Spread{s.Median * f, s.Min * f, s.Max * f} }

// WriteSVG draws the chart: medians as dots, with the least and the most as whiskers; a
// second diagram for latency where it was measured.
func (c *Chart) WriteSVG(out io.Writer) error { return c.write(out, c.panels()) }

func (c *Chart) write(out io.Writer, panels []panel) error {
	w := bufio.NewWriter(out)
	height := plotTop + len(panels)*(plotHeight+plotGap) - plotGap + plotBottom
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", plotLeft+plotWidth+plotRight, height)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	text(w, plotLeft, 26, "start", `font-size="17" font-weight="bold"`, c.Title)
	for i, p := range panels {
		d := c.diagram(p, float64(plotTop+i*(plotHeight+plotGap)))
		d.axes(w, c.XLabel, p.label)
		for k, s := range c.Series {
			d.line(w, s, plotColours[k%len(plotColours)])
		}
		d.legend(w, c.Series)
	}
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

// diagram maps values to pixels.
type diagram struct {
	panel
	top, xFrom, xTo, yTo float64
	logarithmic, logY    bool
	yFrom                float64   // of a logarithmic y; else 0
	xs, ys               []float64 // ticks
}

func (c *Chart) diagram(p panel, top float64) *diagram {
	d := &diagram{panel: p, top: top, xFrom: math.Inf(1), xTo: math.Inf(-1), yFrom: math.Inf(1)}
	for _, s := range c.Series {
		for i, r := range s.Results {
			d.xFrom, d.xTo, d.yTo = min(d.xFrom, s.X[i]), max(d.xTo, s.X[i]), max(d.yTo, p.value(r).Max)
			d.xs, d.yFrom = append(d.xs, s.X[i]), min(d.yFrom, p.value(r).Min)
		}
	}
	d.logarithmic = d.xFrom > 0 && d.xTo/d.xFrom >= logFromRatio
	slices.Sort(d.xs)
	d.xs = slices.Compact(d.xs)
	if d.logY = d.yFrom > 0 && d.yTo/d.yFrom >= logFromRatio; d.logY {
		d.ys = decades(d.yFrom, d.yTo)
		d.yFrom, d.yTo = d.ys[0], d.ys[len(d.ys)-1]
		return d
	}
	d.yFrom = 0
	step := niceStep(d.yTo / ticksAim)
	for y := 0.0; ; y += step {
		d.ys = append(d.ys, y)
		if y >= d.yTo {
			d.yTo = y
			return d
		}
	}
}

// decades are ticks around a logarithmic range: 1, 2, 5 times powers of ten, of wide
// ranges the powers alone.
func decades(from, to float64) (ticks []float64) {
	wide := to/from > 1e4
	for p := math.Pow(10, math.Floor(math.Log10(from))); ; p *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if wide && m > 1 {
				break
			}
			if len(ticks) == 1 && m*p <= from {
				ticks = ticks[:0]
			}
			ticks = append(ticks, m*p)
			if m*p >= to {
				return ticks
			}
		}
	}
}

// niceStep is the least of 1, 2, 5 times a power of ten that is not below v.
func niceStep(v float64) float64 {
	if !(v > 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v {
			return m * power
		}
	}
	return 10 * power
}

func (d *diagram) x(v float64) float64 {
	from, to := d.xFrom, d.xTo
	if d.logarithmic {
		v, from, to = math.Log(v), math.Log(from), math.Log(to)
	}
	if from == to {
		return plotLeft + plotWidth/2
	}
	return plotLeft + (v-from)/(to-from)*plotWidth
}

func (d *diagram) y(v float64) float64 {
	share := v / d.yTo
	if d.logY {
		share = math.Log(v/d.yFrom) / math.Log(d.yTo/d.yFrom)
	}
	return d.top + plotHeight - share*plotHeight
}

func (d *diagram) axes(w io.Writer, xLabel, yLabel string) {
	bottom := d.top + plotHeight
	for _, y := range d.ys {
		fmt.Fprintf(w, `<path d="M%d %.1f h%d" stroke="#ddd"/>`+"\n", plotLeft, d.y(y), plotWidth)
		text(w, plotLeft-8, d.y(y)+4, "end", "", number(y))
	}
	fmt.Fprintf(w, `<path d="M%d %.1f h%d" stroke="black"/>`+"\n", plotLeft, bottom, plotWidth)
	last := math.Inf(-1)
	for _, x := range d.xs {
		fmt.Fprintf(w, `<path d="M%.1f %.1f v%d" stroke="black"/>`+"\n", d.x(x), bottom, tickSize)
		if label := number(x); d.x(x)-last > float64(10*len(label)) {
			text(w, d.x(x), bottom+20, "middle", "", label)
			last = d.x(x)
		}
	}
	text(w, plotLeft+plotWidth/2, bottom+42, "middle", "", xLabel)
	text(w, plotLeft, d.top-12, "start", `fill="#555"`, yLabel)
}

func (d *diagram) line(w io.Writer, s Series, colour string) {
	path := ""
	for i, r := range s.Results {
		x, v := d.x(s.X[i]), d.value(r)
		command := "L"
		if i == 0 {
			command = "M"
		}
		path += fmt.Sprintf("%s%.1f %.1f ", command, x, d.y(v.Median))
		fmt.Fprintf(w, `<path d="M%.1f %.1f V%.1f M%.1f %.1f h%d M%.1f %.1f h%d" stroke="%s" opacity="0.6"/>`+"\n",
			x, d.y(v.Min), d.y(v.Max), x-whiskerHalf, d.y(v.Min), 2*whiskerHalf, x-whiskerHalf, d.y(v.Max), 2*whiskerHalf, colour)
		fmt.Fprintf(w, `<circle cx="%.1f" cy="%.1f" r="%d" fill="%s"/>`+"\n", x, d.y(v.Median), dotRadius, colour)
	}
	fmt.Fprintf(w, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path, colour)
}

func (d *diagram) legend(w io.Writer, series []Series) {
	for k, s := range series {
		y := d.top + 10 + float64(20*k)
		fmt.Fprintf(w, `<path d="M%d %.1f h18" stroke="%s" stroke-width="3"/>`+"\n", plotLeft+plotWidth+14, y, plotColours[k%len(plotColours)])
		text(w, plotLeft+plotWidth+38, y+4, "start", "", s.Name)
	}
}

func text(w io.Writer, x, y float64, anchor, more, s string) {
	fmt.Fprintf(w, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`+"\n", x, y, anchor, more, html.EscapeString(s))
}

// number is short: thousands as k, millions as M.
func number(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + "M"
	case v >= 1e4:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
