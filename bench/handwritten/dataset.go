package main

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/millrace/millrace/bench"
)

// dataset holds a workload's rows as columns.
type dataset struct {
	rows    int
	lap     time.Duration
	names   []string
	wide    map[string][]int64 // times in microseconds, identifiers
	narrow  map[string][]int32
	floats  map[string][]float32
	lookups *dataset
}

// What columns of package bench's inputs hold; all others are 32 bits of whole numbers.
var (
	wideColumns  = []string{"ts", "ad_id", "campaign_id", "k"}
	floatColumns = []string{"v"}
)

const microsPerMilli = 1000 // inputs count milliseconds

func readDataset(folder string, w *bench.Workload, columns []string) (*dataset, error) {
	floats := floatColumns
	if w.Input == "keys" {
		floats = nil // its v is INT
	}
	d, err := readColumns(bench.InputPath(folder, w.Input), columns, floats, w.Bundle)
	if err != nil {
		return nil, err
	}
	d.lap = w.Lap
	d.lookups, err = adsOf(folder)
	return d, err
}

// readColumns reads the first rows of a CSV file, all if the number is 0.
func readColumns(path string, columns, floats []string, rows int) (*dataset, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	head, records := records[0], records[1:]
	if rows > 0 {
		records = records[:min(rows, len(records))]
	}
	d := &dataset{rows: len(records), names: columns, wide: map[string][]int64{}, narrow: map[string][]int32{}, floats: map[string][]float32{}}
	for _, name := range columns {
		at := slices.Index(head, name)
		if at < 0 {
			return nil, fmt.Errorf("%s has no column %s", path, name)
		}
		for _, r := range records {
			v, err := strconv.ParseInt(r[at], 10, 64)
			if err != nil {
				return nil, err
			}
			d.add(name, v, slices.Contains(floats, name))
		}
	}
	return d, nil
}

func (d *dataset) add(name string, v int64, float bool) {
	switch {
	case name == "ts":
		d.wide[name] = append(d.wide[name], v*microsPerMilli)
	case slices.Contains(wideColumns, name):
		d.wide[name] = append(d.wide[name], v)
	case float:
		d.floats[name] = append(d.floats[name], float32(v))
	default:
		d.narrow[name] = append(d.narrow[name], int32(v))
	}
}

// write puts the columns into a file as c/loop.h reads it.
func (d *dataset) write(path string) error {
	var b bytes.Buffer
	word := func(v uint64) { b.Write(binary.NativeEndian.AppendUint64(nil, v)) }
	half := func(v uint32) { b.Write(binary.NativeEndian.AppendUint32(nil, v)) }
	word(uint64(d.rows))
	for _, name := range d.names {
		for _, v := range d.wide[name] {
			word(uint64(v))
		}
		for _, v := range d.narrow[name] {
			half(uint32(v))
		}
		for _, v := range d.floats[name] {
			half(math.Float32bits(v))
		}
		for b.Len()%8 != 0 {
			b.WriteByte(0)
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// with and the two sums below are the checksum of c/loop.h.
func with(h uint64, value int64) uint64 { return (h ^ uint64(value)) * 0x9E3779B97F4A7C15 }

func (o *outcome) add(hash uint64) {
	o.results++
	o.sum += hash ^ hash>>32
}
