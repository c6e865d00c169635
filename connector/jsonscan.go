package connector

// The functions of this file accept exactly the grammar of RFC 8259, except that text
// is not checked to be UTF-8. Each takes the place of a token's first byte and returns
// the place behind its last, or -1.

const nestingMax = 512 // deeper values go through encoding/json, which allows 10,000

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func skipBlanks(data []byte, p int) int {
	for p < len(data) && isBlank(data[p]) {
		p++
	}
	return p
}

// stringEnd takes the place behind the opening quote and returns that of the closing
// one.
func stringEnd(data []byte, p int) (end int, escaped bool) {
	for {
		for p+8 <= len(data) {
			w := load(data, p)
			// The lowest mark is exact; a borrow can only add marks above a true one.
			quotes, backslashes := w^('"'*everyByte), w^('\\'*everyByte)
			marks := ((quotes-everyByte)&^quotes | (backslashes-everyByte)&^backslashes | (w-0x20*everyByte)&^w) & highBits
			if marks != 0 {
				p += firstByte(marks)
				break
			}
			p += 8
		}
		for p < len(data) && data[p] >= 0x20 && data[p] != '"' && data[p] != '\\' {
			p++
		}
		if p >= len(data) || data[p] < 0x20 {
			return -1, false
		}
		if data[p] == '"' {
			return p, escaped
		}
		escaped = true
		if p = escapeEnd(data, p); p < 0 {
			return -1, false
		}
	}
}

func escapeEnd(data []byte, p int) int {
	if p+1 >= len(data) {
		return -1
	}
	switch data[p+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return p + 2
	case 'u':
		if p+6 > len(data) {
			return -1
		}
		for _, c := range data[p+2 : p+6] {
			if lower := c | 0x20; c-'0' > 9 && (lower < 'a' || lower > 'f') {
				return -1
			}
		}
		return p + 6
	}
	return -1
}

func numberEnd(data []byte, p int) int {
	if data[p] == '-' {
		p++
	}
	first := p
	if p = digitsEnd(data, p); p == first || data[first] == '0' && p > first+1 {
		return -1
	}
	if p < len(data) && data[p] == '.' {
		first = p + 1
		if p = digitsEnd(data, first); p == first {
			return -1
		}
	}
	if p < len(data) && data[p]|0x20 == 'e' {
		p++
		if p < len(data) && (data[p] == '+' || data[p] == '-') {
			p++
		}
		first = p
		if p = digitsEnd(data, p); p == first {
			return -1
		}
	}
	return p
}

func digitsEnd(data []byte, p int) int {
	if p+8 <= len(data) {
		w := load(data, p) // the lowest mark is exact
		if other := (w | (w + 0x46*everyByte) | (w - '0'*everyByte)) & highBits; other != 0 {
			return p + firstByte(other)
		}
		p += 8
	}
	for p < len(data) && data[p]-'0' <= 9 {
		p++
	}
	return p
}

// literalEnd takes true, false or null, and what they are as a cell.
func literalEnd(data []byte, p int) (next int, flags uint32) {
	switch rest := data[p:]; {
	case len(rest) >= 4 && string(rest[:4]) == "true":
		return p + 4, spanLiteral
	case len(rest) >= 5 && string(rest[:5]) == "false":
		return p + 5, spanLiteral
	case len(rest) >= 4 && string(rest[:4]) == "null":
		return p + 4, spanNull
	}
	return -1, 0
}

// nestedEnd takes an object or array.
func nestedEnd(data []byte, p, depth int) int {
	if depth == nestingMax {
		return -1
	}
	isObject := data[p] == '{'
	closing := byte(']')
	if isObject {
		closing = '}'
	}
	if p = skipBlanks(data, p+1); p < len(data) && data[p] == closing {
		return p + 1
	}
	for {
		if isObject {
			if p = memberKeyEnd(data, p); p < 0 {
				return -1
			}
		}
		if p = valueEnd(data, p, depth+1); p < 0 {
			return -1
		}
		if p = skipBlanks(data, p); p >= len(data) {
			return -1
		}
		switch data[p] {
		case closing:
			return p + 1
		case ',':
			p = skipBlanks(data, p+1)
		default:
			return -1
		}
	}
}

func memberKeyEnd(data []byte, p int) int {
	if p >= len(data) || data[p] != '"' {
		return -1
	}
	end, _ := stringEnd(data, p+1)
	if end < 0 {
		return -1
	}
	if p = skipBlanks(data, end+1); p >= len(data) || data[p] != ':' {
		return -1
	}
	return skipBlanks(data, p+1)
}

func valueEnd(data []byte, p, depth int) int {
	if p >= len(data) {
		return -1
	}
	switch c := data[p]; {
	case c == '"':
		end, _ := stringEnd(data, p+1)
		if end < 0 {
			return -1
		}
		return end + 1
	case c == '-' || c-'0' <= 9:
		return numberEnd(data, p)
	case c == '{' || c == '[':
		return nestedEnd(data, p, depth)
	}
	next, _ := literalEnd(data, p)
	return next
}
