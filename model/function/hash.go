package function

func digest(name, sql string) Function {
	return Function{Name: name, SQL: sql, Category: "hashes", Signatures: []Signature{sig(txt, txt), sig(txt, byt)}, Doc: sql + " of a BYTEA or of the text's bytes, in small hexadecimal digits"}
}

// SketchBits and SketchRegisters are the precision of APPROX_COUNT_DISTINCT.
const (
	SketchBits      = 12
	SketchRegisters = 1 << SketchBits
)

// hashes are digests and check sums.
var hashes = []Function{
	digest("md5", "MD5"), digest("sha1", "SHA1"), digest("sha224", "SHA224"), digest("sha256", "SHA256"), digest("sha384", "SHA384"), digest("sha512", "SHA512"),
	{Name: "crc32", SQL: "CRC32", Category: "hashes", Signatures: []Signature{sig(in8, txt), sig(in8, byt)}, Doc: "CRC-32 (IEEE 802.3), 0 to 4294967295"},
	{Name: "xxhash64", SQL: "XXHASH64", Category: "hashes", Signatures: []Signature{sig(in8, txt), sig(in8, byt)}, Doc: "XXH64 with seed 0, its 64 bits as a BIGINT: quick, not for secrets"},
}
