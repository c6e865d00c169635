package reference

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"math/bits"

	"github.com/millrace/millrace/stream"
)

func init() {
	for name, make := range map[string]func() hash.Hash{
		"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
	} {
		strict[name] = func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			h := make()
			h.Write([]byte(a[0].S))
			return text(fmt.Sprintf("%x", h.Sum(nil)))
		}
	}
	register(map[string]call{
		"crc32": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return stream.Big(int64(crc(a[0].S))), ""
		},
		"xxhash64": func(a []stream.Value, _ stream.Type) (stream.Value, string) {
			return stream.Big(int64(xxh64(a[0].S))), ""
		},
	})
}

// crc divides by the polynomial bit by bit.
func crc(s string) uint32 {
	rest := ^uint32(0)
	for _, c := range []byte(s) {
		rest ^= uint32(c)
		for range 8 {
			rest = rest>>1 ^ 0xedb88320*(rest&1)
		}
	}
	return ^rest
}

// The primes of XXH64 (xxHash's specification, version 0.1.1).
const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

func xxh64(s string) uint64 {
	rest := []byte(s)
	round := func(acc, lane uint64) uint64 { return bits.RotateLeft64(acc+lane*prime2, 31) * prime1 }
	seed := uint64(0)
	h := seed + prime5
	if len(rest) >= 32 {
		acc := [4]uint64{seed + prime1 + prime2, seed + prime2, seed, seed - prime1}
		for ; len(rest) >= 32; rest = rest[32:] {
			for i := range acc {
				acc[i] = round(acc[i], binary.LittleEndian.Uint64(rest[8*i:]))
			}
		}
		h = bits.RotateLeft64(acc[0], 1) + bits.RotateLeft64(acc[1], 7) + bits.RotateLeft64(acc[2], 12) + bits.RotateLeft64(acc[3], 18)
		for _, a := range acc {
			h = (h^round(0, a))*prime1 + prime4
		}
	}
	h += uint64(len(s))
	for ; len(rest) >= 8; rest = rest[8:] {
		h = bits.RotateLeft64(h^round(0, binary.LittleEndian.Uint64(rest)), 27)*prime1 + prime4
	}
	if len(rest) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(rest))*prime1, 23)*prime2 + prime3
		rest = rest[4:]
	}
	for _, c := range rest {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}
