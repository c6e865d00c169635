package operator

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash/crc32"

	"github.com/cespare/xxhash/v2"
)

var hashFunctions = map[string]prepare{
	"md5":      prepareEither(mapKernel(func(dst, t []byte) []byte { h := md5.Sum(t); return hex.AppendEncode(dst, h[:]) })),
	"sha1":     prepareEither(mapKernel(func(dst, t []byte) []byte { h := sha1.Sum(t); return hex.AppendEncode(dst, h[:]) })),
	"sha224":   prepareEither(mapKernel(func(dst, t []byte) []byte { h := sha256.Sum224(t); return hex.AppendEncode(dst, h[:]) })),
	"sha256":   prepareEither(mapKernel(func(dst, t []byte) []byte { h := sha256.Sum256(t); return hex.AppendEncode(dst, h[:]) })),
	"sha384":   prepareEither(mapKernel(func(dst, t []byte) []byte { h := sha512.Sum384(t); return hex.AppendEncode(dst, h[:]) })),
	"sha512":   prepareEither(mapKernel(func(dst, t []byte) []byte { h := sha512.Sum512(t); return hex.AppendEncode(dst, h[:]) })),
	"crc32":    prepareEither(sumTexts(func(t []byte) int64 { return int64(crc32.ChecksumIEEE(t)) })),
	"xxhash64": prepareEither(sumTexts(func(t []byte) int64 { return int64(xxhash.Sum64(t)) })),
}

func sumTexts(sum func(text []byte) int64) kernel {
	return func(s *ProgramScratch, in *instr) {
		out, a := s.strict(in), &s.arg(in, 0).Column
		out.I64 = resize(out.I64, s.n)
		for i := range out.I64 {
			out.I64[i] = sum(a.Text(i))
		}
	}
}
