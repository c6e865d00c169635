package traffic

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// HistoryToll returns what a car paid on an expressway on an earlier day, in cents: a
// number that looks random and needs no table.
func HistoryToll(vehicle, day, xway int32) int32 {
	h := uint64(vehicle)*0x9e3779b97f4a7c15 ^ uint64(day)<<40 ^ uint64(xway)<<50
	h = (h ^ h>>31) * 0xbf58476d1ce4e5b9
	return int32(h>>33) % 4000
}

// Write puts a data set into a folder, which it makes: input.csv (no header), and with
// headers segments.csv, every segment there is, and history.csv, the tolls of every earlier
// day of the cars that ask for one and as many others.
func (o Options) Write(folder string) (records int, err error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return 0, err
	}
	type account struct{ vehicle, xway int32 }
	var accounts []account
	asked := map[account]bool{}
	ask := func(a account) {
		if !asked[a] {
			asked[a] = true
			accounts = append(accounts, a)
		}
	}
	err = create(filepath.Join(folder, "input.csv"), func(w *bufio.Writer) error {
		var line []byte
		return o.Run(func(r *Record) {
			records++
			if r.Kind == Expenditure {
				ask(account{r.Vehicle, r.Xway})
				ask(account{max(r.Vehicle/2, 1), r.Xway})
			}
			line = r.AppendCSV(line[:0])
			_, _ = w.Write(line) // a failure stays in w until the end
		})
	})
	if err != nil {
		return records, err
	}
	err = create(filepath.Join(folder, "history.csv"), func(w *bufio.Writer) error {
		fmt.Fprintln(w, "vid,day,xway,toll")
		for _, a := range accounts {
			for day := int32(1); day <= HistoryDays; day++ {
				fmt.Fprintf(w, "%d,%d,%d,%d\n", a.vehicle, day, a.xway, HistoryToll(a.vehicle, day, a.xway))
			}
		}
		return nil
	})
	if err != nil {
		return records, err
	}
	return records, create(filepath.Join(folder, "segments.csv"), func(w *bufio.Writer) error { return o.segments(w) })
}

// segments writes every segment of every expressway.
func (o Options) segments(w io.Writer) error {
	fmt.Fprintln(w, "xway,dir,seg")
	for x := range o.Xways {
		for dir := range 2 {
			for segment := range Segments {
				if _, err := fmt.Fprintf(w, "%d,%d,%d\n", x, dir, segment); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// create makes a file of what fill writes.
func create(name string, fill func(*bufio.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
