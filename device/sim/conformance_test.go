package sim_test

import (
	"testing"

	"github.com/millrace/millrace/device/devicetest"
	"github.com/millrace/millrace/device/sim"
)

// A device without a compiler refuses every program, and everything is right all the same.
func TestConformance(t *testing.T) {
	d := sim.New(sim.Config{ID: "sim:0"})
	defer d.Close()
	devicetest.Run(t, d)
}
