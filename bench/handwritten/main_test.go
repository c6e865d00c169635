package main

import (
	"context"
	"testing"
)

// TestAgree compares all loops once; compare does so before it takes a time.
func TestAgree(t *testing.T) {
	if err := run(context.Background(), 1, 0.001, nil); err != nil {
		t.Error(err)
	}
}

func TestDisagreementIsAnError(t *testing.T) {
	gives := func(o outcome) func(context.Context, int64, bool) (outcome, error) {
		return func(context.Context, int64, bool) (outcome, error) { return o, nil }
	}
	for _, other := range []outcome{{results: 2, sum: 8}, {results: 3, sum: 7}} {
		if agree(context.Background(), []contender{{"a", gives(outcome{results: 2, sum: 7})}, {"b", gives(other)}}, loop{}) == nil {
			t.Errorf("%v passes for 2 results with sum 7", other)
		}
	}
}
