package typo

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"speed", "speed", 4, 0}, {"spede", "speed", 4, 1}, {"sped", "speed", 4, 1}, {"spends", "speed", 4, 2},
		{"speed", "steed", 4, 1}, {"", "ab", 4, 2}, {"", "", 1, 0}, {"a", "abcde", 4, 4}, {"abcde", "a", 4, 4}, {"ab", "cd", 9, 2},
	} {
		if got := Distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("%q and %q are %d apart, want %d", c.a, c.b, got, c.want)
		}
	}
}
