// Package stream is the vocabulary every other package speaks: types, values,
// schemas, columns in Arrow's memory layout, batches, event time and watermarks.
//
// A batch is an immutable run of consecutive rows of one stream. Everything that
// moves through a plan - from a source's decoder to a sink's encoder - is a batch
// or a span of one. The package imports nothing of ours; see stream/window for the
// arithmetic of windows.
package stream
