package reference

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/millrace/millrace/stream"
)

// compare orders two values of one type, neither NULL: FALSE before TRUE, text by
// bytes, -0 equal to 0, NaN equal to itself and greatest.
func compare(a, b stream.Value) int {
	switch {
	case a.Type.IsDecimal():
		return rat(a).Cmp(rat(b))
	case a.Type.Storage() == stream.Varchar:
		return strings.Compare(a.S, b.S)
	case a.Type.IsNested():
		return slices.CompareFunc(a.Items(), b.Items(), order)
	case a.Type.IsFloat():
		return compareFloats(a.F, b.F)
	case a.I < b.I:
		return -1
	case a.I > b.I:
		return 1
	default:
		return 0
	}
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	default:
		return -1
	}
}

// order is compare with NULL as the greatest value, equal to itself.
func order(a, b stream.Value) int {
	switch {
	case a.Null && b.Null:
		return 0
	case a.Null:
		return 1
	case b.Null:
		return -1
	default:
		return compare(a, b)
	}
}

// orderRows orders rows by their values from the left.
func orderRows(a, b Row) int {
	for i := range a {
		if c := order(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// groupKey is a text that two lists of values share exactly if they group together:
// all values equal, NULL with NULL.
func groupKey(values Row) string {
	var key []byte
	for _, v := range values {
		switch {
		case v.Null:
			key = append(key, 0)
		case v.Type.IsDecimal():
			n := unscaled(v)
			key = append(append(key, byte(4+n.Sign()), byte(len(n.Bytes()))), n.Bytes()...)
		case v.Type.Storage() == stream.Varchar:
			key = binary.AppendUvarint(append(key, 1), uint64(len(v.S)))
			key = append(key, v.S...)
		case v.Type.IsFloat():
			f := v.F
			if f == 0 {
				f = 0 // -0 becomes 0
			}
			if math.IsNaN(f) {
				f = math.NaN() // whichever NaN it was
			}
			key = binary.LittleEndian.AppendUint64(append(key, 2), math.Float64bits(f))
		default:
			key = binary.LittleEndian.AppendUint64(append(key, 3), uint64(v.I))
		}
	}
	return string(key)
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
