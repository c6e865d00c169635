package main

import (
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/connector"
	"github.com/millrace/millrace/model/function"
	"github.com/millrace/millrace/sql"
)

// completionsMax is the number of words that completion offers; of more it shows the first.
const completionsMax = 200

// keywords are offered where nothing better is known.
var keywords = strings.Fields(`SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT DISTINCT AS AND OR NOT IN IS NULL LIKE BETWEEN
CASE WHEN THEN ELSE END CAST INTERVAL TIMESTAMP JOIN ON UNION ALL WITH FILTER RANGE ROWS SLIDE PARTITION
SECOND SECONDS MINUTE MINUTES HOUR HOURS DAY DAYS TABLE TUMBLE HOP DESCRIPTOR CREATE OR REPLACE STREAM VIEW IF EXISTS
WATERMARK FOR DROP INSERT INTO EXPLAIN ANALYZE SHOW DESCRIBE SET RESET BEGIN STATEMENT TRUE FALSE
BOOLEAN INTEGER BIGINT REAL DOUBLE VARCHAR`)

var (
	statementStarts = strings.Fields("SELECT CREATE INSERT EXPLAIN SHOW DESCRIBE DROP SET RESET WITH BEGIN")
	showable        = strings.Fields("TABLES STREAMS VIEWS FUNCTIONS CONNECTORS SETTINGS CREATE")
	creatable       = strings.Fields("STREAM TABLE VIEW OR")
	droppable       = strings.Fields("STREAM TABLE VIEW")
)

// complete offers words for the one before pos, a position in runes of the line that
// stands behind the lines before it.
func (s *shell) complete(before, line string, pos int) (head string, words []string, tail string) {
	runes := []rune(line)
	head, tail = string(runes[:pos]), string(runes[pos:])
	c := newCompletion(before + head)
	words = c.words(s)
	sort.Strings(words)
	words = slices.Compact(words)
	head = head[:len(head)-len(c.word)]
	return head, words[:min(len(words), completionsMax)], tail
}

// completion is what stands before the cursor.
type completion struct {
	text    string   // of the statement
	word    string   // what is to be completed
	earlier []string // the words before it, in small letters
	quote   string   // what the quotes hold that the cursor is in, from the quote on
}

// newCompletion takes the end of a text apart.
func newCompletion(text string) *completion {
	_, rest := sql.Split(sql.Script{Text: text})
	c := &completion{text: rest.Text + text[len(strings.TrimRight(text, " \t\r\n")):]}
	if strings.HasPrefix(strings.TrimLeft(text, " \t\n"), `\`) {
		c.text = strings.TrimLeft(text, " \t\n")
	}
	if i := openQuote(c.text); i >= 0 {
		c.quote, c.word = c.text[i:], c.text[i+1:]
		c.earlier = fields(c.text[:i])
		return c
	}
	at := len(c.text)
	for at > 0 {
		r, n := utf8.DecodeLastRuneInString(c.text[:at])
		if !isWordRune(r) {
			break
		}
		at -= n
	}
	c.word, c.earlier = c.text[at:], fields(c.text[:at])
	return c
}

func isWordRune(r rune) bool {
	return r == '_' || r == '$' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// openQuote is where a text begins that does not end, or -1.
func openQuote(text string) int {
	at := -1
	var quote rune
	for i, r := range text {
		switch {
		case at >= 0 && r == quote:
			at = -1
		case at < 0 && (r == '\'' || r == '"' || r == '`'):
			at, quote = i, r
		}
	}
	return at
}

// fields are the words of a text, with "(", ",", "=", "[" as words.
func fields(text string) []string {
	for _, mark := range []string{"(", ")", ",", "=", "[", "]"} {
		text = strings.ReplaceAll(text, mark, " "+mark+" ")
	}
	return strings.Fields(strings.ToLower(text))
}

// back is the n-th word before the one that is completed, or "".
func (c *completion) back(n int) string {
	if n > len(c.earlier) {
		return ""
	}
	return c.earlier[len(c.earlier)-n]
}

// words are what could stand here.
func (c *completion) words(s *shell) []string {
	switch last := c.back(1); {
	case strings.HasPrefix(c.text, `\`):
		return c.commandWords(s)
	case c.quote != "":
		return c.quotedWords()
	case len(c.earlier) == 0:
		return c.match(statementStarts)
	case last == "from" || last == "join" || last == "into" || last == "describe" || last == "desc" || (last == "," && c.inFrom()):
		return c.match(c.relations(s))
	case last == "connector" && (c.back(2) == "describe" || c.back(2) == "desc"):
		return c.match(connectorNames())
	case last == "show":
		return c.match(showable)
	case last == "drop":
		return c.match(droppable)
	case last == "create" && c.back(2) == "show", c.back(2) == "drop":
		return c.match(names(s.session.Declared()))
	case last == "create":
		return c.match(creatable)
	case last == "set" || last == "reset":
		return c.match(settingNames())
	case (last == "(" || last == ",") && c.inOptions():
		return c.match(c.optionNames())
	}
	return c.inExpression(s.session.Declared())
}

// match are the candidates that the word begins, in its letters' size.
func (c *completion) match(candidates []string) []string {
	var out []string
	small := c.word != "" && c.word == strings.ToLower(c.word)
	for _, word := range candidates {
		if len(word) < len(c.word) || !strings.EqualFold(word[:len(c.word)], c.word) {
			continue
		}
		if small && word == strings.ToUpper(word) {
			word = strings.ToLower(word)
		}
		out = append(out, word)
	}
	return out
}

func (c *completion) commandWords(s *shell) []string {
	switch {
	case len(c.earlier) == 0 || c.earlier[0] == `\`:
		var all []string
		for name := range s.commands() {
			all = append(all, name)
		}
		return c.match(all)
	case slices.Contains([]string{`\i`, `\include`, `\e`, `\edit`}, c.earlier[0]):
		word := c.text[strings.IndexByte(c.text, ' ')+1:]
		c.word = word
		return paths(word)
	}
	return c.match(names(s.session.Declared()))
}

// quotedWords are names for the values of some options, and paths elsewhere.
func (c *completion) quotedWords() []string {
	if c.quote[0] != '\'' {
		return nil
	}
	option := ""
	if c.back(1) == "=" {
		option = strings.Trim(c.back(2), `'"`)
	}
	switch option {
	case "connector":
		return c.match(connectorNames())
	case "":
		return paths(c.word)
	}
	if words := optionWords(option); len(words) > 0 {
		return c.match(words)
	}
	return paths(c.word)
}

// relations are names for FROM, INTO and DESCRIBE, which describes connectors too.
func (c *completion) relations(s *shell) []string {
	out := names(s.session.Declared())
	if last := c.back(1); last == "describe" || last == "desc" {
		out = append(out, "CONNECTOR")
	}
	return out
}

func connectorNames() []string {
	var out []string
	for _, d := range connector.Describe() {
		out = append(append(out, d.Name), d.Aliases...)
	}
	return out
}

// optionWords are the values of an option of a connector or of every stream.
func optionWords(name string) []string {
	var out []string
	for _, o := range sql.StreamOptions() {
		if o.Name == name {
			return o.Words
		}
	}
	for _, d := range connector.Describe() {
		for _, o := range d.Options {
			if o.Name == name {
				out = append(out, o.Words...)
			}
		}
	}
	return out
}

// paths are the files and folders that a path begins; folders end with a slash.
func paths(word string) []string {
	folder, base := filepath.Split(word)
	entries, err := os.ReadDir(filepath.Join(".", folder))
	if filepath.IsAbs(folder) {
		entries, err = os.ReadDir(folder)
	}
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(base, ".")
		if hidden || !strings.HasPrefix(e.Name(), base) {
			continue
		}
		name := folder + e.Name()
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			name += "/"
		}
		out = append(out, name)
	}
	return out
}

func names(all []*sql.Declared) []string {
	var out []string
	for _, d := range all {
		out = append(out, d.Name)
		if !d.View {
			out = append(out, d.Name+"$late", d.Name+"$errors")
		}
	}
	return out
}

func settingNames() []string {
	var out []string
	for _, s := range sql.AllSettings() {
		out = append(out, s.Name)
	}
	return out
}

// inFrom: the clause that the word stands in is FROM.
func (c *completion) inFrom() bool {
	for _, w := range slices.Backward(c.earlier) {
		switch w {
		case "from":
			return true
		case "select", "where", "group", "having", "order", "with", "(":
			return false
		}
	}
	return false
}

// inOptions: the word stands within WITH ( of a CREATE.
func (c *completion) inOptions() bool {
	if len(c.earlier) == 0 || c.earlier[0] != "create" {
		return false
	}
	for i := len(c.earlier) - 1; i > 0; i-- {
		if c.earlier[i] == "(" {
			return c.earlier[i-1] == "with"
		}
	}
	return false
}

// optionNames are those of the connector that the statement names, or of all.
func (c *completion) optionNames() []string {
	named := ""
	for i, w := range c.earlier {
		if strings.Trim(w, `'"`) == "connector" && i+2 < len(c.earlier) {
			named = strings.Trim(c.earlier[i+2], `'`)
		}
	}
	var out []string
	for _, o := range sql.StreamOptions() {
		out = append(out, o.Name)
	}
	for _, d := range connector.Describe() {
		if named != "" && d.Name != named && !slices.Contains(d.Aliases, named) {
			continue
		}
		for _, option := range d.OptionNames() {
			if !strings.Contains(option, "<") {
				out = append(out, option)
			}
		}
	}
	return out
}

// inExpression are columns of what the statement reads, functions and keywords.
func (c *completion) inExpression(all []*sql.Declared) []string {
	if table, _, ok := strings.Cut(c.word, "."); ok {
		var out []string
		for _, d := range all {
			if d.Name == c.aliased(strings.ToLower(table), all) {
				for _, f := range d.Columns {
					out = append(out, table+"."+f.Name)
				}
			}
		}
		return c.match(out)
	}
	out := slices.Clone(keywords)
	any := false
	for _, d := range all {
		any = any || slices.Contains(c.earlier, d.Name)
	}
	for _, d := range all { // before FROM is written, columns of all streams
		if !any || slices.Contains(c.earlier, d.Name) {
			for _, f := range d.Columns {
				out = append(out, f.Name)
			}
		}
		out = append(out, d.Name)
	}
	for _, name := range sql.Aggregates() {
		out = append(out, strings.ToUpper(name))
	}
	for _, f := range function.All() {
		if !f.Syntax {
			out = append(out, f.SQL)
		}
	}
	return c.match(out)
}

// aliased is the stream that an alias stands for: FROM cars AS c, FROM cars c.
func (c *completion) aliased(alias string, all []*sql.Declared) string {
	for i, w := range c.earlier {
		for _, d := range all {
			if w != d.Name {
				continue
			}
			rest := c.earlier[i+1:]
			if len(rest) > 0 && rest[0] == "as" {
				rest = rest[1:]
			}
			if len(rest) > 0 && rest[0] == alias {
				return d.Name
			}
		}
	}
	return alias
}
