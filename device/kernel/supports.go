package kernel

import (
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/stream"
)

// Supports tells of every function of package function why devices do not compute it; the
// reason is empty for those that they do, of text as far as equality goes. It is data for who
// decides where a pipeline can run without writing its program; NewSelection and its like
// look at each expression and have the last word.
func Supports() map[string]string {
	out := map[string]string{}
	for _, f := range function.All() {
		entry, ok := functions[f.Name]
		switch {
		case !ok:
			out[f.Name] = "there is no kernel for it"
			if f.Category == "text" {
				out[f.Name] = "it computes with text"
			}
		default:
			out[f.Name] = entry.refuses
		}
	}
	return out
}

// SupportsType reports whether devices hold columns of a type; of text they know which values
// are equal.
func SupportsType(t stream.Type) bool {
	return isText(t) || t.Storage() != stream.Varchar && t != stream.Invalid
}
