package bench

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The first rows of the published traces (Google's cluster trace, the DEBS 2014 smart
// plugs, Linear Road's position reports); times in milliseconds.
//
//go:embed data/*.csv.gz
var dataFiles embed.FS

// InputPath is where WriteInputs puts the rows of that name.
func InputPath(folder, name string) string {
	if generatorOf(name) != nil {
		return filepath.Join(folder, name+".csv")
	}
	return filepath.Join(folder, name+".csv.gz")
}

// generators make the rows that are not published, from fixed seeds.
var generators = map[string]func(io.Writer){
	"ad_events": adEvents, "ads": ads, "sensors": sensors, "bids": bids, "numbers": numbers, "keys": keys,
}

// WriteInputs writes the inputs of workloads into a folder, with the tables they join.
func WriteInputs(folder string, workloads ...*Workload) error {
	names := []string{"ads"}
	for _, w := range workloads {
		names = append(names, w.Input)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := writeInput(folder, name); err != nil {
			return err
		}
	}
	return nil
}

func writeInput(folder, name string) error {
	generate := generatorOf(name)
	if generate != nil {
		return writeFile(InputPath(folder, name), generate)
	}
	b, err := dataFiles.ReadFile("data/" + name + ".csv.gz")
	if err != nil {
		return err
	}
	return os.WriteFile(InputPath(folder, name), b, 0o600)
}

// generatorOf is nil for rows that are kept in data/.
func generatorOf(name string) func(io.Writer) {
	distribution, number, found := strings.Cut(name, "_")
	if found && (distribution == uniform || distribution == zipf) {
		if n, err := strconv.Atoi(number); err == nil {
			return func(w io.Writer) { grouped(w, distribution, n) }
		}
	}
	return generators[name]
}

func writeFile(path string, generate func(io.Writer)) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	w := bufio.NewWriter(f)
	generate(w)
	return w.Flush()
}

const (
	adCount, campaignCount = 1000, 100
	adRows                 = 1 << 17
	sensorRows             = 4096
	bidRows                = 8192
	numberRows             = 1 << 16
	keyRows                = 100_000
	groupedRows            = 1 << 20
)

// adIDs are sparse, as identifiers are.
func adIDs() []int64 {
	r, ids := rand.New(rand.NewPCG(11, 12)), make([]int64, adCount)
	for i := range ids {
		ids[i] = r.Int64N(1 << 40)
	}
	return ids
}

func ads(w io.Writer) {
	fmt.Fprintln(w, "ad_id,campaign_id")
	for i, id := range adIDs() {
		fmt.Fprintf(w, "%d,%d\n", id, 7_000_000+int64(i%campaignCount)*7919)
	}
}

// adEvents come at 1,000 a second; a third are views (type 0).
func adEvents(w io.Writer) {
	r, ids := rand.New(rand.NewPCG(3, 4)), adIDs()
	fmt.Fprintln(w, "ts,user_id,page_id,ad_id,ad_type,event_type")
	for i := range adRows {
		fmt.Fprintf(w, "%d,%d,%d,%d,%d,%d\n", i, r.Int64N(1<<40), r.Int64N(1<<40), ids[r.IntN(adCount)], r.IntN(5), r.IntN(3))
	}
}

// sensors report at 100 Hz.
func sensors(w io.Writer) {
	r := rand.New(rand.NewPCG(5, 6))
	fmt.Fprintln(w, "ts,a,b,c")
	for i := range sensorRows {
		fmt.Fprintf(w, "%d,%d,%d,%d\n", i*10, r.IntN(20000), r.IntN(20000), r.IntN(20000))
	}
}

// bids follow LightSaber's generator: 1,000 a second on 492 auctions, a hot one a time.
func bids(w io.Writer) {
	fmt.Fprintln(w, "ts,auction")
	for i := range bidRows {
		epoch, offset := i/50, i%50
		switch {
		case offset < 1:
			epoch, offset = epoch-1, 2
		case offset >= 4:
			offset = 2
		default:
			offset--
		}
		fmt.Fprintf(w, "%d,%d\n", i, epoch*3+offset+1000)
	}
}

// numbers are uniform: a, b, c below 100, v a float.
func numbers(w io.Writer) {
	r := rand.New(rand.NewPCG(7, 8))
	fmt.Fprintln(w, "ts,a,b,c,v")
	for i := range numberRows {
		fmt.Fprintf(w, "%d,%d,%d,%d,%d\n", i, r.IntN(10000), r.IntN(10000), r.IntN(10000), r.IntN(1000))
	}
}

// keys are a permutation of sparse numbers.
func keys(w io.Writer) {
	r := rand.New(rand.NewPCG(9, 10))
	fmt.Fprintln(w, "ts,k,v")
	for i, p := range r.Perm(keyRows) {
		fmt.Fprintf(w, "%d,%d,%d\n", i, int64(p)*7919+1, r.IntN(1000))
	}
}

// The distributions of grouped.
const (
	uniform, zipf = "uniform", "zipf"
	zipfExponent  = 1.2
)

// grouped rows have so many keys, sparse and in no order.
func grouped(w io.Writer, distribution string, keys int) {
	r := rand.New(rand.NewPCG(13, 14))
	pick := func() int64 { return r.Int64N(int64(keys)) }
	if distribution == zipf {
		z := rand.NewZipf(r, zipfExponent, 1, uint64(keys-1))
		pick = func() int64 { return int64(z.Uint64()) }
	}
	fmt.Fprintln(w, "ts,k,v")
	for i := range groupedRows {
		fmt.Fprintf(w, "%d,%d,%d\n", i, pick()*7919+1, r.IntN(1000))
	}
}
