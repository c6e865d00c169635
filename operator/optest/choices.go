package optest

import (
	"math/rand/v2"

	"github.com/millrace/millrace/operator"
)

// RandomChoices forces every algorithm now and then and leaves half of the choices open.
func RandomChoices(r *rand.Rand) operator.Choices {
	var c operator.Choices
	for _, k := range operator.Knobs() {
		if r.IntN(2) == 0 {
			k.Set(&c, k.Values[r.IntN(len(k.Values))])
		}
	}
	return c
}
