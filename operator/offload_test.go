package operator_test

import (
	"fmt"
	"testing"

	"github.com/millrace/millrace/operator/optest"
)

// TestOffload computes what operators of every kind offer row by row, apart, for every task:
// what Batch makes of that is what the reference says.
func TestOffload(t *testing.T) {
	cases := uint64(30)
	if testing.Short() {
		cases = 8
	}
	for _, kind := range optest.Kinds {
		t.Run(kind, func(t *testing.T) {
			refused, tasks := map[string]int{}, 0
			for i := range cases {
				seed := *optest.FirstSeed + i
				c := optest.Random(kind, seed, nil)
				c.Away = &optest.Away{Make: optest.OnCPU}
				optest.Compare(t, c, seed, 6)
				for _, why := range c.Away.Refused {
					refused[why]++
				}
				tasks += c.Away.Tasks
			}
			t.Log(fmt.Sprint(tasks, " tasks were computed apart; inputs refused: ", refused))
			if tasks < 20*int(cases) {
				t.Errorf("only %d tasks were computed apart", tasks)
			}
		})
	}
}
