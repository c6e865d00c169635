package function

import (
	"github.com/millrace/millrace/stream"
)

// averageScaleMin is the least scale of a DECIMAL average and quotient.
const averageScaleMin = 6

// Decimal returns the type of arithmetic of DECIMALs, which follows the rules of Flink:
// as many digits as the result may need and, where those are more than 38, fewer behind
// the point, but not less than six of them. ok is false for other arguments, and for
// functions that compute a DECIMAL in no way of their own.
func Decimal(name string, args []stream.Type) (t stream.Type, ok bool) {
	for _, a := range args {
		if !a.IsDecimal() {
			return stream.Invalid, false
		}
	}
	switch {
	case len(args) == 1:
		return decimalOfOne(name, args[0])
	case len(args) != 2:
		return stream.Invalid, false
	}
	p1, s1, p2, s2 := args[0].Precision(), args[0].Scale(), args[1].Precision(), args[1].Scale()
	scale := max(s1, s2)
	switch name {
	case "add", "sub":
		return bounded(max(p1-s1, p2-s2)+scale+1, scale), true
	case "mul":
		return bounded(p1+p2+1, s1+s2), true
	case "div":
		scale = max(averageScaleMin, s1+p2+1)
		return bounded(p1-s1+s2+scale, scale), true
	case "mod":
		return bounded(max(1, min(p1-s1, p2-s2)+scale), scale), true
	}
	return stream.Invalid, false
}

func decimalOfOne(name string, t stream.Type) (stream.Type, bool) {
	switch name {
	case "neg", "abs":
		return t, true
	case "floor", "ceil", "round":
		if t.Scale() == 0 {
			return t, true
		}
		return stream.Decimal(t.Precision()-t.Scale()+1, 0), true
	}
	return stream.Invalid, false
}

func bounded(precision, scale int) stream.Type {
	if precision > stream.DecimalDigitsMax {
		whole := precision - scale
		precision, scale = stream.DecimalDigitsMax, max(stream.DecimalDigitsMax-whole, min(scale, averageScaleMin))
	}
	return stream.Decimal(precision, scale)
}

// CommonDecimal is the type in which DECIMALs of two types are compared or stand for one
// another.
func CommonDecimal(a, b stream.Type) stream.Type {
	scale := max(a.Scale(), b.Scale())
	return bounded(max(a.Precision()-a.Scale(), b.Precision()-b.Scale())+scale, scale)
}

// DecimalSum and DecimalAverage are the types of aggregates of a DECIMAL.
func DecimalSum(t stream.Type) stream.Type { return stream.Decimal(stream.DecimalDigitsMax, t.Scale()) }

// DecimalAverage is explained at DecimalSum.
func DecimalAverage(t stream.Type) stream.Type {
	return stream.Decimal(stream.DecimalDigitsMax, max(averageScaleMin, t.Scale()))
}
