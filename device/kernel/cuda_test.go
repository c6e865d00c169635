//go:build !nogpu

package kernel_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/device/kernel"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/operator/optest"
)

// compileForCUDA checks a program's text as CUDA C++. It says nothing about results: no
// program has run on CUDA hardware.
func compileForCUDA(t *testing.T, source string) {
	t.Helper()
	clang, err := exec.LookPath("clang")
	if err != nil {
		if os.Getenv(requireVariable) != "" {
			t.Fatalf("%s is set, and there is no clang: %v", requireVariable, err)
		}
		t.Skipf("NOT TESTED: no clang (%v)", err)
	}
	shim, err := os.ReadFile("testdata/cuda.h")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "program.cu")
	if err := os.WriteFile(file, []byte(string(shim)+kernel.PreludeCUDA+source), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(clang, "-x", "cuda", "-nocudainc", "-nocudalib", "--cuda-device-only", "--cuda-gpu-arch=sm_70",
		"-Wno-unknown-cuda-version", "-ffp-contract=off", "-O1", "-S", "-o", os.DevNull, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, source)
	}
}

func TestAggregationCompilesForCUDA(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			side, op := randomAggregate(optest.NewGen(seed, timedTypes()))
			p, err := kernel.NewAggregation(side, op)
			if err != nil {
				t.Fatal(err)
			}
			compileForCUDA(t, p.Program.Source)
		})
	}
}

func TestMarkCompilesForCUDA(t *testing.T) {
	p, err := kernel.New(operator.Offload{Side: markedSide(model.Range)})
	if err != nil {
		t.Fatal(err)
	}
	compileForCUDA(t, p.Program().Source)
}

func TestSelectionCompilesForCUDA(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := optest.NewGen(seed, fixedTypes())
			side := operator.Side{Relation: relation(g.Schema)}
			side.Steps = randomSteps(g)
			s, err := kernel.NewSelection(side)
			if err != nil {
				t.Fatal(err)
			}
			compileForCUDA(t, s.Program.Source)
		})
	}
}
