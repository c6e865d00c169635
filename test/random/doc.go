// Package random holds the random-query test: generated queries over generated data,
// run by the engine at random task sizes and worker counts, must print what the
// reference prints, in the same order, with the same error and late rows; and a job
// stopped at a random task and restored elsewhere must print the same in total.
//
// A case is a function of its seed alone. A failing case prints the one command that
// repeats it. data.go makes streams, query.go and expr.go queries, case.go runs them.
package random
