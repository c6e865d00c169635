package connector

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Eight bytes at a time: a word w has byte b where the corresponding byte of
// w ^ (b * everyByte) is zero.
const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
	lowBits   = 0x7f7f7f7f7f7f7f7f
)

// zeroBytes has the high bit of every zero byte of x set and no other bit.
func zeroBytes(x uint64) uint64 { return ^((x&lowBits + lowBits) | x | lowBits) }

func load(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

func firstByte(mask uint64) int { return bits.TrailingZeros64(mask) >> 3 }

func isASCII(b []byte) bool {
	i := 0
	for ; i+32 <= len(b); i += 32 {
		if (load(b, i)|load(b, i+8)|load(b, i+16)|load(b, i+24))&highBits != 0 {
			return false
		}
	}
	for ; i < len(b); i++ {
		if b[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func validText(b []byte) bool { return isASCII(b) || utf8.Valid(b) }

func countLines(b []byte) int64 { return int64(bytes.Count(b, newline)) }

var newline = []byte{'\n'}

// toValidText copies b, each invalid sequence replaced by U+FFFD.
func toValidText(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

func indexNewline(b []byte) int { return bytes.IndexByte(b, '\n') }

func trimLineEnd(b []byte) []byte {
	b = bytes.TrimSuffix(b, newline)
	return bytes.TrimSuffix(b, []byte{'\r'})
}

// formatBytes is a size as messages show it: 16 MiB, 300 bytes.
func formatBytes(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.Itoa(n>>20) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return strconv.Itoa(n>>10) + " KiB"
	}
	return strconv.Itoa(n) + " bytes"
}
