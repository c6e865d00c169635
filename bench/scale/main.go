// Command scale measures how the whole path - CSV file, grouped sliding window, output
// file - uses memory and cores: it writes a CSV of the asked size, runs the millrace
// command over it with one and with two workers in turn, and prints for each run wall
// and processor time, rows per second and peak memory.
//
//	go run ./bench/scale            # 1 GB
//	go run ./bench/scale -gb 4
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"syscall"
	"time"
)

const (
	groups        = 10_000
	rowsPerSecond = 100_000
	firstSecond   = 1_767_225_600 // 2026-01-01
)

const script = `CREATE STREAM readings (
  at BIGINT, sensor INTEGER, value REAL, state VARCHAR,
  event_time AS TO_TIMESTAMP_LTZ(at, 0),
  WATERMARK FOR event_time AS event_time
) WITH (connector = 'file', path = '${input}', format = 'csv');
CREATE TABLE averages (window_end TIMESTAMP, sensor INTEGER, average DOUBLE)
WITH (connector = 'file', path = '${output}', format = 'csv');
INSERT INTO averages
SELECT window_end, sensor, AVG(value) FROM readings [RANGE 60 SECONDS SLIDE 1 SECOND] GROUP BY sensor;
`

type result struct {
	wall, cpu time.Duration
	peakBytes int64
}

func main() {
	gb := flag.Float64("gb", 1, "size of the input in GB (1e9 bytes)")
	rounds := flag.Int("rounds", 3, "runs per number of workers; medians are printed")
	keep := flag.String("dir", "", "folder for the files, kept afterwards (default: a temporary one)")
	flag.Parse()
	log.SetFlags(0)
	if err := measure(*gb, *rounds, *keep); err != nil {
		log.Fatal(err)
	}
}

func measure(gb float64, rounds int, dir string) error {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "millrace-scale")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	binary := filepath.Join(dir, "millrace")
	if out, err := exec.Command("go", "build", "-o", binary, "./cmd/millrace").CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w", out, err)
	}
	input := filepath.Join(dir, fmt.Sprintf("readings-%g.csv", gb))
	rows, err := generate(input, int64(gb*1e9))
	if err != nil {
		return err
	}
	fmt.Printf("%s/%s, %d cores, %s; %d rows, %.2f GB, %d groups, RANGE 60 SLIDE 1\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), rows, gb, groups)
	results := map[int][]result{}
	for i := 0; i < rounds; i++ {
		for _, workers := range []int{1, 2} {
			r, err := run(binary, dir, input, workers)
			if err != nil {
				return err
			}
			results[workers] = append(results[workers], r)
		}
	}
	report(rows, gb, results)
	return nil
}

func generate(path string, size int64) (rows int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	written := int64(0)
	line := []byte("at,sensor,value,state\n")
	for seed := uint64(1); ; rows++ {
		written += int64(len(line))
		if _, err := w.Write(line); err != nil {
			return rows, err
		}
		if written >= size {
			break
		}
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		line = strconv.AppendInt(line[:0], firstSecond+rows/rowsPerSecond, 10)
		line = strconv.AppendUint(append(line, ','), seed%groups, 10)
		line = strconv.AppendUint(append(line, ','), seed>>20%100, 10)
		line = append(append(line, '.'), byte('0'+seed>>40%10), ',')
		line = append(line, "ok\n"...)
	}
	if err := w.Flush(); err != nil {
		return rows, err
	}
	return rows, f.Close()
}

func run(binary, dir, input string, workers int) (result, error) {
	query := filepath.Join(dir, "query.sql")
	if err := os.WriteFile(query, []byte(script), 0o644); err != nil {
		return result{}, err
	}
	cmd := exec.Command(binary, "run", "--workers", strconv.Itoa(workers), "--set", "input="+input, "--set", "output="+filepath.Join(dir, "averages.csv"), query)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return result{}, fmt.Errorf("%s: %w", out, err)
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return result{time.Since(start), time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Maxrss << 10}, nil
}

func report(rows int64, gb float64, results map[int][]result) {
	fmt.Println("workers   wall s    cpu s  cpu/wall   M rows/s     GB/s   peak MB")
	var walls [3]float64
	for _, workers := range []int{1, 2} {
		rs := results[workers]
		wall := median(rs, func(r result) float64 { return r.wall.Seconds() })
		cpu := median(rs, func(r result) float64 { return r.cpu.Seconds() })
		peak := 0.0
		for _, r := range rs {
			peak = max(peak, float64(r.peakBytes)/1e6)
		}
		walls[workers] = wall
		fmt.Printf("%7d %8.2f %8.2f %9.2f %10.2f %8.2f %9.0f\n", workers, wall, cpu, cpu/wall, float64(rows)/wall/1e6, gb/wall, peak)
	}
	fmt.Printf("two workers are %.2f times as fast as one\n", walls[1]/walls[2])
}

func median(rs []result, f func(result) float64) float64 {
	v := make([]float64, len(rs))
	for i, r := range rs {
		v[i] = f(r)
	}
	sort.Float64s(v)
	return v[len(v)/2]
}
