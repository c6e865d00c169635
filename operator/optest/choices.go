package optest

import (
	"math/rand/v2"

	"github.com/millrace/millrace/internal/vector"
	"github.com/millrace/millrace/operator"
)

// RandomChoices forces every algorithm now and then and leaves half of the choices open.
// Vector instructions are on or off in the whole process from then on, as it is chosen:
// operators that run at the same time see the change, which must not matter to them.
func RandomChoices(r *rand.Rand) operator.Choices {
	var c operator.Choices
	for _, k := range operator.Knobs() {
		if r.IntN(2) == 0 {
			k.Set(&c, k.Values[r.IntN(len(k.Values))])
		}
	}
	vector.Enable(c.Vector != "off")
	return c
}
