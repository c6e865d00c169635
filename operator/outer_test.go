package operator

import (
	"fmt"
	"strings"
	"testing"
)

// TestOuterRows: rows without partner stand at their places, however the pairs are cut into
// chunks and the result is taken.
func TestOuterRows(t *testing.T) {
	pairs := [2][]int32{{3, 3, 4, 7, 7, 7, 9}, {1, 2, 0, 0, 5, 6, 9}}
	failed := []int32{2, 4, 5, 8}
	const want = "3,1 3,2 4,0 6,- 7,0 7,5 7,6 9,9 10,- 12,-"
	for cut := range len(pairs[0]) + 1 {
		for room := 1; room < 4; room++ {
			var got []string
			o := outerRows{}
			o.begin(1, []int32{1, 11})
			take := func() {
				for p := o.take(room); len(p[0]) > 0; p = o.take(room) {
					for i, left := range p[0] {
						got = append(got, strings.Replace(fmt.Sprintf("%d,%d", left, p[1][i]), "-1", "-", 1))
					}
				}
			}
			first := failed
			if cut < len(pairs[0]) {
				for len(first) > 0 && first[len(first)-1] > pairs[0][cut] {
					first = first[:len(first)-1]
				}
			}
			for _, row := range first {
				o.fail(row)
			}
			o.add([2][]int32{pairs[0][:cut], pairs[1][:cut]}, nobodyThere)
			take()
			for _, row := range failed[len(first):] {
				o.fail(row)
			}
			o.add([2][]int32{pairs[0][cut:], pairs[1][cut:]}, nobodyThere)
			o.end(13, nobodyThere)
			take()
			if s := strings.Join(got, " "); s != want {
				t.Errorf("cut before pair %d, %d at a time: %s, want %s", cut, room, s, want)
			}
		}
	}
}
