// Package random holds the random-query test: generated queries over generated data,
// run by the engine at random task sizes and worker counts, must print what the
// reference prints, in the same order, with the same error and late rows; and a job
// stopped at a random task and restored elsewhere must print the same in total.
//
// And whatever must not matter does not: no optimization, no detour over the model's
// text, no repetition changes a byte.
//
// A case is a function of its seed alone. A failing case prints the one command that
// repeats it; -only "numbered / hop" or -only MAX_BY runs the cases that have such a query.
// data.go and rows.go make streams, query.go, graph.go and the expressions in expr.go
// queries, case.go a script of them, run.go runs it.
package random
