package sql

// StreamOption is an option of WITH that every stream has, whatever its connector.
type StreamOption struct {
	Name    string
	Words   []string // the values that there are; nil: Type says
	Type    string
	Default string
	About   string
}

// The options of every stream.
const (
	optionConnector = "connector"
	optionLate      = "late"
	optionOnError   = "on_error"
	optionIdle      = "idle_timeout"
	optionJump      = "max_watermark_jump"
)

// The words of options, in the order of model.LatePolicy and model.ErrorPolicy.
var (
	lateWords    = []string{"output", "drop"}
	onErrorWords = []string{"output", "fail"}
)

// StreamOptions are the options of every stream.
func StreamOptions() []StreamOption {
	return []StreamOption{
		{Name: optionConnector, Type: "name", About: "where rows come from or go to"},
		{Name: optionLate, Words: lateWords, Default: lateWords[0], About: "rows behind the watermark: into the stream s$late, or counted only"},
		{Name: optionOnError, Words: onErrorWords, Default: onErrorWords[0], About: "records that cannot be read: into the stream s$errors, or the job fails at the first"},
		{Name: optionIdle, Type: "duration", About: "a partition without rows for so long does not hold the watermark back. Default: never"},
		{Name: optionJump, Type: "duration", About: "a row further ahead of the watermark is an error row. Default: any jump"},
	}
}
