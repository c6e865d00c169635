package connector

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/stream"
)

// Ways to make a column's values.
const (
	kindSequence = "sequence"
	kindRandom   = "random" // uniform between min and max
	kindZipf     = "zipf"   // min the most frequent, or the first of values
	kindNormal   = "normal"
)

// columnOptions is how one generated column is made.
type columnOptions struct {
	field     stream.Field
	seed      uint64
	kind      string
	low, high float64 // min and max of floats; min and max of the rest are in from and to
	from, to  int64   // integers, days, microseconds
	bounded   bool    // min or max was given
	start     int64
	startF    float64
	stop      int64 // last value of a sequence
	hasStop   bool
	step      int64
	stepF     float64
	mean, dev float64
	exponent  float64
	length    int
	varying   bool // texts have 1 to length letters
	values    []string
	past      int64
	nullRate  float64
	parts     []columnOptions // of an ARRAY its element, of a ROW its members
}

// takeColumn reads the options fields.<name>.*.
func (o *optionSet) takeColumn(f stream.Field, seed uint64, startTime, timeStep int64) columnOptions {
	at := "fields." + f.Name + "."
	kind := kindRandom
	if f.Type == stream.Timestamp {
		kind = kindSequence
	}
	if _, given := o.values[at+"start"]; given {
		kind = kindSequence
	}
	c := columnOptions{field: f, seed: seed,
		kind: o.choice(at+"kind", kind, kindSequence, kindRandom, "uniform", kindZipf, kindNormal)}
	if c.kind == "uniform" {
		c.kind = kindRandom
	}
	c.exponent = o.float(at+"exponent", zipfExponent)
	if !(c.exponent > 1) {
		o.bad(at+"exponent", "write a number above 1")
	}
	if c.length = int(o.number(at+"length", textLength, 0)); c.length > textLengthMax {
		o.bad(at+"length", "write at most "+strconv.Itoa(textLengthMax))
	}
	c.varying = o.boolean(at+"var_len", false)
	if c.nullRate = o.float(at+"null_rate", 0); c.nullRate < 0 || c.nullRate > 1 {
		o.bad(at+"null_rate", "write a share from 0 to 1")
	}
	if c.nullRate > 0 && f.NotNull {
		o.fail(o.written[at+"null_rate"], "column "+f.Name+" is NOT NULL", "remove null_rate")
	}
	if list, ok := o.take(at + "values"); ok {
		c.takeValues(o, at, list)
	}
	if f.Type.IsNested() {
		o.takeNested(&c, at, startTime, timeStep)
		return c
	}
	c.past = o.durationMicros(at+"max_past", 0)
	c.takeRange(o, at, startTime, timeStep)
	return c
}

func (c *columnOptions) takeValues(o *optionSet, at, list string) {
	for _, v := range strings.Split(list, ",") {
		c.values = append(c.values, strings.TrimSpace(v))
	}
	probe := stream.NewBatch(stream.NewSchema(c.field), nil)
	for i, v := range c.values {
		if !appendParsed(&probe.Cols[0], v, i) {
			o.bad(at+"values", "each value must be a "+c.field.Type.String()+": "+v)
			c.values = nil
			return
		}
	}
	if c.kind == kindNormal {
		o.bad(at+"kind", "values can be picked by 'sequence', 'random' or 'zipf'")
	}
}

// takeRange reads min, max, start, end, step, mean and stddev in the column's type.
func (c *columnOptions) takeRange(o *optionSet, at string, startTime, timeStep int64) {
	_, low := o.values[at+"min"]
	_, high := o.values[at+"max"]
	c.bounded = low || high
	if c.field.Type.IsDecimal() {
		c.takeDecimals(o, at)
	}
	switch c.field.Type {
	case stream.Real, stream.Double:
		c.low, c.high = o.float(at+"min", 0), o.float(at+"max", 1)
		if low && !high {
			c.high = c.low + 1
		}
		c.startF, c.stepF = o.float(at+"start", 0), o.float(at+"step", 1)
	case stream.Timestamp:
		c.start, c.step = o.timestamp(at+"start", startTime), o.durationMicros(at+"step", timeStep)
		c.from = o.timestamp(at+"min", c.start)
		c.to = o.timestamp(at+"max", c.from+intervalMax)
	case stream.Interval:
		c.from, c.to = o.durationMicros(at+"min", 0), o.durationMicros(at+"max", intervalMax)
		c.start, c.step = o.durationMicros(at+"start", 0), o.durationMicros(at+"step", microsPerSecond)
	case stream.Date:
		c.start, c.step = o.date(at+"start", startTime), o.number(at+"step", 1, math.MinInt32)
		c.from = o.date(at+"min", startTime)
		c.to = min(c.from+daysRange, stream.DateMax)
		if high {
			c.to = o.date(at+"max", startTime)
		}
	case stream.TimeOfDay:
		c.from, c.to = o.timeOfDay(at+"min", 0), o.timeOfDay(at+"max", stream.MicrosPerDay-1)
		c.start, c.step = o.timeOfDay(at+"start", 0), o.durationMicros(at+"step", microsPerSecond)
	case stream.TinyInt, stream.SmallInt, stream.Integer, stream.BigInt, stream.Varchar, stream.Bytes, stream.JSON:
		smallest, largest := int64(math.MinInt64), int64(math.MaxInt64)
		if c.field.Type.Storage() != stream.Varchar {
			smallest, largest, _ = c.field.Type.Range()
		}
		c.from = o.number(at+"min", 0, smallest)
		c.to = o.number(at+"max", max(min(integerMax, largest), c.from), smallest)
		c.start, c.step = o.number(at+"start", 0, smallest), o.number(at+"step", 1, math.MinInt64)
		c.stop = o.number(at+"end", 0, smallest)
		_, c.hasStop = o.values[at+"end"]
		if c.to > largest || c.stop > largest {
			o.fail(o.written[at+"max"], "the range of column "+c.field.Name+" does not fit "+c.field.Type.String(), "")
		}
		if c.hasStop && (c.step <= 0 || c.stop < c.start) {
			o.bad(at+"end", "an end needs step > 0 and end >= start")
		}
	}
	if c.to < c.from || c.high < c.low {
		o.fail(o.written[at+"max"], "min is above max for column "+c.field.Name, "")
	}
	middle, width := (c.low+c.high)/2, c.high-c.low
	if !c.field.Type.IsFloat() {
		middle, width = float64(c.from)/2+float64(c.to)/2, float64(c.to)-float64(c.from)
	}
	if c.field.Type.IsNumeric() && !c.field.Type.IsDecimal() {
		c.mean, c.dev = o.float(at+"mean", middle), o.float(at+"stddev", width/normalWidths)
	}
	if c.kind == kindNormal && (!c.field.Type.IsNumeric() || c.field.Type.IsDecimal()) || c.kind == kindZipf && c.field.Type.IsFloat() && c.values == nil {
		o.bad(at+"kind", "a "+c.field.Type.String()+" cannot be made that way")
	}
}

// takeDecimals reads the range of a DECIMAL, whose numbers are counted in units of its
// last digit.
func (c *columnOptions) takeDecimals(o *optionSet, at string) {
	t := c.field.Type
	c.from = o.decimal(at+"min", t, "0")
	c.to = max(o.decimal(at+"max", t, "1"), c.from)
	if _, high := o.values[at+"max"]; high {
		c.to = o.decimal(at+"max", t, "")
	}
	c.start, c.step = o.decimal(at+"start", t, "0"), o.decimal(at+"step", t, "1")
}

// sequenceRows is the length of a sequence that ends, or -1.
func (c *columnOptions) sequenceRows() int64 {
	if c.kind != kindSequence || !c.hasStop || c.step <= 0 {
		return -1
	}
	return (c.stop-c.start)/c.step + 1
}

// columnMaker fills one column; it belongs to one decoder.
type columnMaker struct {
	*columnOptions
	picked stream.Column // values, parsed
	zipf   *rand.Zipf
	draws  *draws
	below  []*columnMaker // of its parts
}

// draws is a source of random numbers that is set anew for each row.
type draws struct{ state uint64 }

// Uint64 implements rand.Source.
func (d *draws) Uint64() uint64 {
	d.state += rowMix
	return mix(d.state)
}

// mix is the finalizer of splitmix64: close inputs, unrelated outputs.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func newColumnMaker(c *columnOptions) *columnMaker {
	m := &columnMaker{columnOptions: c, draws: &draws{}}
	for i := range c.parts {
		m.below = append(m.below, newColumnMaker(&c.parts[i]))
	}
	if c.values != nil {
		m.picked.Reset(c.field.Type)
		for i, v := range c.values {
			appendParsed(&m.picked, v, i)
		}
	}
	if c.kind == kindZipf {
		ranks := uint64(c.to) - uint64(c.from)
		if c.values != nil {
			ranks = uint64(len(c.values) - 1)
		}
		m.zipf = rand.NewZipf(rand.New(m.draws), c.exponent, 1, ranks)
	}
	return m
}

func (m *columnMaker) fill(col *stream.Column, first int64, rows int) {
	for i := range rows {
		row := first + int64(i)
		h := mix(m.seed + uint64(row)*rowMix)
		switch {
		case m.nullRate > 0 && unit(mix(h^nullSalt)) < m.nullRate:
			col.AppendNull(i)
		case m.values != nil:
			col.AppendFrom(&m.picked, m.pick(h, row), i)
		default:
			col.AppendValue(m.value(h, row), i)
		}
	}
}

// unit is a number of [0, 1).
func unit(h uint64) float64 { return float64(h>>(64-fractionBits)) / (1 << fractionBits) }

// below is a number of [0, n), 0 meaning 2^64.
func below(h, n uint64) uint64 {
	if n == 0 {
		return h
	}
	return mix(h) % n
}

func (m *columnMaker) pick(h uint64, row int64) int {
	switch m.kind {
	case kindSequence:
		return int(row % int64(len(m.values)))
	case kindZipf:
		m.draws.state = h
		return int(m.zipf.Uint64())
	}
	return int(below(h, uint64(len(m.values))))
}

func (m *columnMaker) value(h uint64, row int64) stream.Value {
	if m.parts != nil {
		return m.nested(h, row)
	}
	v := stream.Value{Type: m.field.Type}
	switch m.field.Type {
	case stream.Real, stream.Double:
		v.F = m.float(h, row)
	case stream.Boolean:
		v.I = int64(h >> 63)
		if m.kind == kindSequence {
			v.I = row & 1
		}
	case stream.Varchar:
		v.S = m.text(h, row)
	case stream.Bytes:
		v.S = m.bytes(h, row)
	case stream.JSON:
		v.S = m.text(h, row)
		if m.kind == kindRandom && !m.bounded {
			v.S = fmt.Sprintf(`{"id":%d,"text":"%s"}`, m.integer(h, row), v.S)
		}
	default:
		v.I = m.integer(h, row)
		if v.Type.IsDecimal() {
			v = stream.DecimalOfUnits(v.Type, v.I)
		}
	}
	return v
}

func (m *columnMaker) integer(h uint64, row int64) int64 {
	var v int64
	switch m.kind {
	case kindSequence:
		if m.hasStop {
			row %= (m.stop-m.start)/m.step + 1
		}
		v = m.within(m.start + row*m.step)
	case kindZipf:
		m.draws.state = h
		v = m.from + int64(m.zipf.Uint64())
	case kindNormal:
		v = int64(math.RoundToEven(m.normal(h)))
		if m.bounded {
			v = min(max(v, m.from), m.to)
		}
	default:
		v = m.from + int64(below(h, uint64(m.to)-uint64(m.from)+1))
	}
	if m.past > 0 && m.field.Type == stream.Timestamp {
		v -= int64(below(h^pastSalt, uint64(m.past)+1))
	}
	return v
}

// within lets a sequence of a type with few values begin anew behind the last of them.
func (m *columnMaker) within(v int64) int64 {
	t := m.field.Type
	if low, high, ok := t.Range(); ok && t != t.Storage() && (v < low || v > high) {
		n := high - low + 1
		v = low + ((v-low)%n+n)%n
	}
	return v
}

func (m *columnMaker) float(h uint64, row int64) float64 {
	switch m.kind {
	case kindSequence:
		return m.startF + float64(row)*m.stepF
	case kindNormal:
		v := m.normal(h)
		if m.bounded {
			v = min(max(v, m.low), m.high)
		}
		return v
	}
	return m.low + unit(h)*(m.high-m.low)
}

// normal is Box and Muller's transform of two uniform numbers.
func (m *columnMaker) normal(h uint64) float64 {
	radius := math.Sqrt(-2 * math.Log(1-unit(h)))
	return m.mean + m.dev*radius*math.Cos(2*math.Pi*unit(mix(h^secondUniform)))
}

// text is the number of a sequence or of a range, or letters.
func (m *columnMaker) text(h uint64, row int64) string {
	if m.kind != kindRandom || m.bounded {
		return strconv.FormatInt(m.integer(h, row), 10)
	}
	length := m.length
	if m.varying {
		length = min(1+int(below(h^lengthSalt, uint64(max(1, length)))), length)
	}
	out := make([]byte, length)
	m.draws.state = h
	for at, bits := 0, uint64(0); at < len(out); at, bits = at+1, bits>>lettersIndexBits {
		if at%12 == 0 {
			bits = m.draws.Uint64()
		}
		out[at] = letters[bits&(1<<lettersIndexBits-1)]
	}
	return string(out)
}

// bytes are the digits of a number of a sequence or of a range, or any bytes.
func (m *columnMaker) bytes(h uint64, row int64) string {
	if m.kind != kindRandom || m.bounded {
		return m.text(h, row)
	}
	out := make([]byte, 0, m.length+8)
	m.draws.state = h
	for len(out) < m.length {
		out = binary.LittleEndian.AppendUint64(out, m.draws.Uint64())
	}
	return string(out[:m.length])
}

// appendParsed appends what text stands for in a CSV file as value n.
func appendParsed(col *stream.Column, text string, n int) bool {
	probe := stream.NewSchema(stream.Field{Name: "value", Type: col.Type})
	c := cells{schema: probe, readers: csvReaders(probe, 0), columns: []int{0}}
	c.begin([]byte(text))
	c.spans = slices.Clone([]span{{0, uint32(len(text)) | spanQuoted}})
	c.starts, c.stops, c.rows = []uint32{0}, []uint32{uint32(len(text))}, 1
	out := stream.NewBatch(probe, nil)
	if errs := c.finish(&Block{Data: []byte(text)}, out, nil); len(errs) > 0 {
		return false
	}
	col.AppendFrom(&out.Cols[0], 0, n)
	return true
}
