package bench

import (
	"bufio"
	"fmt"
	"io"
	"math"
)

// The measures of a picture of four diagrams, in pixels.
const (
	cellWidth, cellHeight          = 520, 370
	cellLeft, cellTop              = 64, 66 // of a diagram within its cell
	diagramWidth, diagramHeight    = 420, 230
	barWidth, barGap, legendStroke = 30, 4, 18
)

// Colours of the picture's lines and bars, of plotColours.
const (
	colourHLS, colourFCFS, colourCPU, colourGPU = 0, 1, 2, 3

	paleBar = "#cccccc"
)

// cell is one diagram of several in a picture; its values are mapped to the picture's
// pixels.
type cell struct {
	w          io.Writer
	left, top  float64 // of the diagram
	xFrom, xTo float64
	yFrom, yTo float64
	logX, logY bool
	title      string
	xLabel     string
	yLabel     string
}

func scale(v, from, to float64, logarithmic bool) float64 {
	if logarithmic {
		return math.Log(v/from) / math.Log(to/from)
	}
	return (v - from) / (to - from)
}

func (c *cell) x(v float64) float64 { return c.left + diagramWidth*scale(v, c.xFrom, c.xTo, c.logX) }

func (c *cell) y(v float64) float64 {
	return c.top + diagramHeight*(1-scale(v, c.yFrom, c.yTo, c.logY))
}

// frame draws title, labels, the axis of y with its ticks and the line of x.
func (c *cell) frame(ys ...float64) {
	text(c.w, c.left, c.top-40, "start", `font-size="15" font-weight="bold"`, c.title)
	text(c.w, c.left, c.top-14, "start", `fill="#555"`, c.yLabel)
	for _, y := range ys {
		fmt.Fprintf(c.w, `<path d="M%.1f %.1f h%d" stroke="#ddd"/>`+"\n", c.left, c.y(y), diagramWidth)
		text(c.w, c.left-8, c.y(y)+4, "end", "", number(y))
	}
	fmt.Fprintf(c.w, `<path d="M%.1f %.1f h%d" stroke="black"/>`+"\n", c.left, c.top+diagramHeight, diagramWidth)
	text(c.w, c.left+diagramWidth/2, c.top+diagramHeight+42, "middle", "", c.xLabel)
}

func (c *cell) ticks(xs ...float64) {
	for _, x := range xs {
		fmt.Fprintf(c.w, `<path d="M%.1f %.1f v%d" stroke="black"/>`+"\n", c.x(x), c.top+diagramHeight, tickSize)
		text(c.w, c.x(x), c.top+diagramHeight+20, "middle", "", number(x))
	}
}

// line joins points; style is more attributes of the path.
func (c *cell) line(style string, xs, ys []float64) {
	fmt.Fprintf(c.w, `<path fill="none" %s d="`, style)
	for i := range xs {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(c.w, "%s%.1f %.1f ", command, c.x(xs[i]), c.y(ys[i]))
	}
	fmt.Fprintln(c.w, `"/>`)
}

// legend writes names behind their strokes at a place, one below the other.
func (c *cell) legend(x, y float64, entries ...[2]string) {
	for i, e := range entries {
		at := y + 20*float64(i)
		fmt.Fprintf(c.w, `<path d="M%.1f %.1f h%d" %s/>`+"\n", x, at, legendStroke, e[1])
		text(c.w, x+legendStroke+6, at+4, "start", "", e[0])
	}
}

func stroke(colour string, width float64) string {
	return fmt.Sprintf(`stroke="%s" stroke-width="%g"`, colour, width)
}

// WriteSchedulingSVG draws the rows: both workloads, the ratios of speeds, and how work
// moves when a query changes.
func WriteSchedulingSVG(out io.Writer, rows []SchedulingRow) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13">`+"\n", 2*cellWidth, 2*cellHeight)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	table := map[string][]SchedulingRow{}
	for _, r := range rows {
		table[r.table()] = append(table[r.table()], r)
	}
	place := func(i int) cell {
		return cell{w: w, left: float64(cellLeft + i%2*cellWidth), top: float64(cellTop + i/2*cellHeight)}
	}
	for i, name := range []string{"W1", "W2"} {
		drawWorkload(place(i), table[name])
	}
	drawRatios(place(2), table["ratios"])
	drawSelectivity(place(3), table["selectivity"])
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}

// drawWorkload compares policies by throughput, ours and the published ones, hls being 1.
func drawWorkload(c cell, rows []SchedulingRow) {
	if len(rows) == 0 {
		return
	}
	hls := rows[0]
	c.title, c.yLabel = hls.Workload+": "+hls.names[0]+" and "+hls.names[1], "throughput, that of hls being 1"
	most := 1.0
	for _, r := range rows {
		most = max(most, hls.Seconds/r.Seconds)
	}
	var levels []float64
	for y, step := 0.0, niceStep(most/ticksAim); y <= most*(1+1e-9); y += step {
		levels = append(levels, y)
	}
	c.yTo = 1.15 * most
	c.frame(levels...)
	step := float64(diagramWidth) / float64(len(rows))
	for i, r := range rows {
		middle := c.left + step*(float64(i)+0.5)
		text(c.w, middle, c.top+diagramHeight+20, "middle", "", r.Policy)
		c.bar(middle-barWidth-barGap/2, hls.Seconds/r.Seconds, plotColours[colourHLS])
		if r.Rate > 0 {
			c.bar(middle+barGap/2, r.Rate/hls.Rate, paleBar)
		}
	}
	c.legend(c.left+diagramWidth-200, c.top-18, [2]string{"simulated", stroke(plotColours[colourHLS], 10)})
	c.legend(c.left+diagramWidth-90, c.top-18, [2]string{"published", stroke(paleBar, 10)})
}

func (c *cell) bar(left, value float64, colour string) {
	fmt.Fprintf(c.w, `<rect x="%.1f" y="%.1f" width="%d" height="%.1f" fill="%s"/>`+"\n", left, c.y(value), barWidth, c.y(0)-c.y(value), colour)
	text(c.w, left+barWidth/2, c.y(value)-5, "middle", `font-size="11"`, fmt.Sprintf("%.2f", value))
}

// drawRatios shows one query at all ratios of speeds.
func drawRatios(c cell, rows []SchedulingRow) {
	c.title, c.yLabel = "One query on both processors", "throughput, the faster processor alone being 1"
	c.xLabel, c.logX, c.logY = "speed of the device, the CPU's being 1", true, true
	var xs, most []float64
	least := 1.0
	ys := map[string][]float64{}
	for _, r := range rows {
		if r.Policy == "hls" {
			xs, most = append(xs, r.Ratio), append(most, r.Most)
		}
		ys[r.Policy] = append(ys[r.Policy], r.Better)
		least = min(least, r.Better)
	}
	c.xFrom, c.xTo = schedulingRatios[0], schedulingRatios[len(schedulingRatios)-1]
	levels := decades(least, 2)
	c.yFrom, c.yTo = levels[0], levels[len(levels)-1]
	c.frame(levels...)
	c.ticks(0.01, 0.1, 1, 10, 100)
	both, hls, fcfs := stroke("#bbbbbb", 7), stroke(plotColours[colourHLS], 2), stroke(plotColours[colourFCFS], 2)
	c.line(both, xs, most)
	c.line(fcfs, xs, ys["fcfs"])
	c.line(hls, xs, ys["hls"])
	c.legend(c.left+diagramWidth/2-70, c.top+120, [2]string{"the sum of both alone", both}, [2]string{"hls", hls}, [2]string{"fcfs", fcfs})
}

// phase marks a time in which a task takes the CPU the same.
func (c *cell) phase(from, to, milliseconds float64, dear bool) {
	if dear {
		fmt.Fprintf(c.w, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="#f3ecd9"/>`+"\n", c.x(from), c.top, c.x(to)-c.x(from), diagramHeight)
	}
	text(c.w, c.x((from+to)/2), c.top+16, "middle", `font-size="11" fill="#555"`, number(milliseconds)+" ms")
}

// drawSelectivity shows the tasks of each processor in time.
func drawSelectivity(c cell, rows []SchedulingRow) {
	if len(rows) == 0 {
		return
	}
	c.title, c.yLabel, c.xLabel = "A selection that changes, under hls", "tasks per second; at the top what a task takes on the CPU", "seconds"
	last := rows[len(rows)-1]
	c.xTo, c.yTo = last.From+last.Seconds, 800 // both at their rates give 750
	var xs, cpu, gpu []float64
	phase := 0
	for i, r := range rows {
		if i+1 == len(rows) || rows[i+1].CPUTask != r.CPUTask {
			c.phase(rows[phase].From, r.From+r.Seconds, r.CPUTask, r.CPUTask > rows[0].CPUTask)
			phase = i + 1
		}
		for _, x := range []float64{r.From, r.From + r.Seconds} { // steps
			xs = append(xs, x)
			cpu, gpu = append(cpu, float64(r.Counts[0][0])/r.Seconds), append(gpu, float64(r.Counts[0][1])/r.Seconds)
		}
	}
	c.frame(0, 200, 400, 600, 800)
	c.ticks(0, 5, 10, 15, 20, 25)
	c.line(stroke(plotColours[colourCPU], 2), xs, cpu)
	c.line(stroke(plotColours[colourGPU], 2), xs, gpu)
	c.legend(c.x(10)+14, c.top+40, [2]string{"CPU", stroke(plotColours[colourCPU], 3)}, [2]string{"GPU", stroke(plotColours[colourGPU], 3)})
}
