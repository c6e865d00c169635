package rules

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/millrace/millrace/examples/linear-road/traffic"
)

// Expect reads input.csv and history.csv of a folder and returns the roads after the last
// record: its Answers are what an engine should have said.
func Expect(folder string) (*Road, error) {
	history, err := readHistory(filepath.Join(folder, "history.csv"))
	if err != nil {
		return nil, err
	}
	road := New(history)
	name := filepath.Join(folder, "input.csv")
	return road, lines(name, func(line string) error {
		record, err := traffic.ParseCSV(line)
		if err == nil {
			road.Add(&record)
		}
		return err
	})
}

// ReadAnswers reads the outputs of an engine from a folder.
func ReadAnswers(folder string) (got [Queries][]Answer, err error) {
	for q := range Queries {
		name := filepath.Join(folder, q.String()+".csv")
		err := lines(name, func(line string) error {
			a, err := q.Parse(line)
			got[q] = append(got[q], a)
			return err
		})
		if err != nil {
			return got, err
		}
	}
	return got, nil
}

// Parse reads a line of the query's output.
func (q Query) Parse(line string) (a Answer, err error) {
	rest := strings.TrimRight(line, "\r\n")
	for i := range q.Columns() {
		field, behind, more := strings.Cut(rest, ",")
		n, err := strconv.ParseInt(field, 10, 32)
		if err != nil || more != (i < q.Columns()-1) {
			return a, fmt.Errorf("%s: not a row of %d whole numbers: %q", q, q.Columns(), line)
		}
		a[i], rest = int32(n), behind
	}
	return a, nil
}

func readHistory(name string) (map[Day]int32, error) {
	tolls := map[Day]int32{}
	header := true
	return tolls, lines(name, func(line string) error {
		if header {
			header = false
			return nil
		}
		var d Day
		var toll int32
		if _, err := fmt.Sscanf(line, "%d,%d,%d,%d", &d.Vehicle, &d.Day, &d.Xway, &toll); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		tolls[d] = toll
		return nil
	})
}

// lines calls f with every line of a file.
func lines(name string, f func(string) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	for number := 1; ; number++ {
		line, err := in.ReadString('\n')
		if line != "" {
			if err := f(line); err != nil {
				return fmt.Errorf("%s:%d: %w", name, number, err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
