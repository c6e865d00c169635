// Package parquet reads and writes Apache Parquet files column by column. It stands
// below package connector, whose source cuts files into Units and whose decoders turn a
// Unit each into a batch; Open, File.Bind, Pruner and NewDecoder are the way in, NewWriter
// is the way out.
//
// A file is row groups, a row group is one chunk for each column, a chunk is pages of
// rows, perhaps with a dictionary in front. The pages of two columns do not begin at the
// same rows, so a Unit is a range of rows of one group, and every column finds its own
// pages:
//
//	group 3     rows 0 ......................... 99,999
//	column a    | page        | page        | page    |
//	column b    | dictionary | page      | page       |
//	unit                  [ rows 32,768 .. 65,535 ]
//
// Where the file has no page index, the headers of a chunk's pages are read once. Pages
// and dictionaries are decoded with the encodings and codecs of parquet-go; values go
// from a page's buffer into the batch's column, and of a dictionary each value is
// converted and checked once.
//
// Columns of ARRAY and ROW have a chunk for each leaf; nest.go says how values are made of
// them, shred.go how values are taken apart.
package parquet
