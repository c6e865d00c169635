// Command mutant proves that the random-query test can fail: it plants one bug at a
// time in the engine - a wrong comparison, a forgotten case, a lost watermark - and
// demands that test/random notices within four minutes. Bugs planted where tasks go on that
// devices have begun are for the random cases of package operator: the simulated devices of
// test/random compute nothing.
//
//	go run ./test/mutant            # all of them
//	go run ./test/mutant late-equal # some
//
// Files are replaced for the compiler only (go test -overlay); nothing in the tree
// changes. A mutant whose text is not found exactly once is out of date and fails.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// limit is how long a run of the test may take to notice.
const limit = 4 * time.Minute

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(names []string) error {
	dir, err := os.MkdirTemp("", "millrace-mutant")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tried, missed := 0, 0
	for i, m := range slices.Concat(mutants, replayed) {
		if len(names) > 0 && !slices.Contains(names, m.name) {
			continue
		}
		tried++
		began := time.Now()
		by, err := m.try(dir, i >= len(mutants))
		switch {
		case err != nil:
			missed++
			fmt.Printf("%-24s %v\n", m.name, err)
		default:
			fmt.Printf("%-24s caught in %4.1f s: %s\n", m.name, time.Since(began).Seconds(), by)
		}
	}
	fmt.Printf("%d of %d mutants caught\n", tried-missed, tried)
	if missed > 0 || tried == 0 {
		return fmt.Errorf("%d mutants survived; strengthen the generator", missed)
	}
	return nil
}

// try plants the mutant and returns how the test noticed: test/random or, of one that is
// replayed, that of the operators.
func (m mutant) try(dir string, replayed bool) (by string, err error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return "", fmt.Errorf("out of date: %q stands %d times in %s", m.old, n, m.file)
	}
	path := filepath.Join(dir, "mutated.go")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o644); err != nil {
		return "", err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: path}})
	if err != nil {
		return "", err
	}
	overlayPath := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayPath, overlay, 0o644); err != nil {
		return "", err
	}
	common := []string{"test", "-overlay", overlayPath, "-count=1", "-failfast", "-timeout", limit.String()}
	if replayed {
		return verdict(exec.Command("go", append(common, "-run", "^TestOffload$/^(pass|lookup|probing)$", "./operator")...))
	}
	// Compiling for OpenCL takes long, and the simulated devices of the other tests go the same way.
	// Most mutants are noticed by the first few cases; all of them are for the others.
	arguments := append(common, "-skip", "OnOpenCL", "./test/random")
	if m.form != "" {
		return verdict(exec.Command("go", append(arguments, "-run", "^(TestRandomQueries|TestStopAndRestore)$", "-only", m.form, "-cases", "6000")...))
	}
	if by, err := verdict(exec.Command("go", append(arguments, "-short")...)); !errors.Is(err, errSurvived) {
		return by, err
	}
	return verdict(exec.Command("go", arguments...))
}

var errSurvived = errors.New("SURVIVED")

// verdict runs the test, which must fail by an assertion, not for want of compiling.
func verdict(cmd *exec.Cmd) (by string, err error) {
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", errSurvived
	case !errors.As(err, &exit) || strings.Contains(string(out), "[build failed]"):
		return "", fmt.Errorf("does not compile: %s", out)
	case strings.Contains(string(out), "prepare: "):
		return "", fmt.Errorf("a case was refused, whatever is planted: %.500s", out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if _, text, found := strings.Cut(line, "seed "); found {
			return "seed " + text[:min(len(text), 150)], nil
		}
	}
	for _, line := range strings.Split(string(out), "\n") {
		if strings.Contains(line, "a case hangs") || strings.Contains(line, "_test.go:") || strings.Contains(line, "compare.go:") {
			return strings.TrimSpace(line)[:min(len(strings.TrimSpace(line)), 150)], nil
		}
	}
	return "", fmt.Errorf("the test failed without saying why: %.300s", out)
}
