// Package optest holds the harness that every operator is tested with: a generator of
// typed expressions, columns and rows full of extremes, and runs of an operator's
// function with inputs cut in every possible way, compared with the reference - rows,
// their order and error rows.
//
// Entry points: Gen for random expressions and data, Compare for whole functions.
package optest
