package function

// APPROX_PERCENTILE counts values in buckets: a power of two has 2^QuantileBits of them, of
// equal width. Of each sign those that begin less than a factor of about
// 2^(QuantileBuckets >> QuantileBits) below the greatest are kept apart; the one that begins
// there has all that are smaller, too.
const (
	QuantileBits    = 6
	QuantileBuckets = 4096
)

// PercentileValuesMax is how many values of a group in a window PERCENTILE_CONT,
// PERCENTILE_DISC and MEDIAN sort; more fail (ErrManyValues).
const PercentileValuesMax = 1 << 20
