package reference

import (
	"math"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

func TestWindowsAtTheEndsOfTime(t *testing.T) {
	rows := []Row{{stream.Time(math.MinInt64)}, {stream.Time(math.MaxInt64)}}
	spans := timeSpans(&model.Window{Kind: model.Range, Size: 10, Slide: 10}, rows, 0)
	if len(spans) != 2 {
		t.Fatalf("%d windows: %v", len(spans), spans)
	}
	// The ends of time are 8 behind a multiple of ten and 7 behind one.
	want := []span{
		{number: math.MinInt64/10 - 1, start: math.MinInt64, end: math.MinInt64 + 8, from: 0, to: 1},
		{number: math.MaxInt64 / 10, start: math.MaxInt64 - 7, end: math.MaxInt64, from: 1, to: 2},
	}
	for i, s := range spans {
		if s != want[i] {
			t.Errorf("window %+v, want %+v", s, want[i])
		}
	}
}

// Windows are found by the definition itself: for every number near a row, is there a
// row inside?
func TestTimeSpansAreThoseThatHoldARow(t *testing.T) {
	times := []int64{-13, -5, -5, 0, 4, 31, 33, 90}
	var rows []Row
	for _, at := range times {
		rows = append(rows, Row{stream.Time(at)})
	}
	for size := int64(1); size < 15; size++ {
		for slide := int64(1); slide < 15; slide++ {
			var want []span
			for k := int64(-100); k <= 100; k++ {
				s := span{number: k, start: k * slide, end: k*slide + size}
				for i, at := range times {
					if at < s.start {
						s.from = i + 1
					}
					if at < s.end {
						s.to = i + 1
					}
				}
				if s.from < s.to {
					want = append(want, s)
				}
			}
			got := timeSpans(&model.Window{Kind: model.Range, Size: size, Slide: slide}, rows, 0)
			if len(got) != len(want) {
				t.Fatalf("size %d, slide %d: %v, want %v", size, slide, got, want)
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("size %d, slide %d: %+v, want %+v", size, slide, got[i], want[i])
				}
			}
		}
	}
}
