package model

// OptionError is a wrong connector, format or option. Option is the key as the user
// wrote it; empty when the mistake is not about one option. The SQL door adds the
// position.
type OptionError struct {
	Option  string
	Message string
	Hint    string // how to fix it, or ""
}

func (e *OptionError) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + "; " + e.Hint
}
