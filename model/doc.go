// Package model is the dataflow as plain data: what a script or program means, before
// anybody decides how or where it runs. A Model is a list of operators in topological
// order, joined by edges from named ports; every operator says what relation it puts
// out. Front ends build it (sql), optimize and bind rewrite and annotate it, the
// engine runs it, the reference interprets it.
//
// See operator.go for the operators' meaning, relation.go for what an edge carries,
// expr.go for expressions; Verify checks a model, Format and Parse are its text form.
package model
