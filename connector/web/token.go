package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

const tokenBytesMax = 4 << 10 // of a file with a token: more is refused

// Authorized reports whether a request has the token, as "Authorization: Bearer ..". The
// time this takes says nothing of either's text or length. An empty token means that none
// is needed.
func Authorized(r *http.Request, token string) bool {
	if token == "" {
		return true
	}
	kind, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && strings.EqualFold(kind, "Bearer")
}

// ReadToken reads a token from a file: its text without blanks around it.
func ReadToken(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, tokenBytesMax+1))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	switch {
	case len(text) > tokenBytesMax:
		return "", fmt.Errorf("%s is longer than %d bytes", name, tokenBytesMax)
	case token == "":
		return "", errors.New(name + " is empty")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New(name + " holds more than one word of ASCII characters")
	}
	return token, nil
}
