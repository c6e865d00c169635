package operator

import (
	"maps"

	"github.com/millrace/millrace/model"
)

// prepare completes an instruction for a call: it picks the kernel for the argument
// types and constants, and prepares what can be prepared once.
type prepare func(b *builder, e *model.Expr, in *instr) error

// functionTable has every function of model/function by name; each family is in its
// own file.
var functionTable = map[string]prepare{}

func init() {
	for _, family := range []map[string]prepare{
		arithmeticFunctions, comparisonFunctions, logicFunctions, conditionalFunctions,
		castFunctions, mathFunctions, digitFunctions, bitFunctions, textFunctions, partFunctions, changeFunctions, patternFunctions, timeFunctions, unitFunctions, formatFunctions, zoneFunctions, hashFunctions, jsonFunctions, nestedFunctions, codingFunctions,
	} {
		maps.Copy(functionTable, family)
	}
}
