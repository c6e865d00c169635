package function

// Codings are how ENCODE writes bytes as text, and DECODE reads them.
var Codings = []string{"hex", "base64"}

// Charsets are how ENCODE and DECODE turn texts into bytes and back.
var Charsets = []string{"utf-8", "us-ascii", "iso-8859-1", "utf-16be", "utf-16le"}

// codings are the functions that turn bytes into texts and back.
var codings = []Function{
	{Name: "encode", SQL: "ENCODE", Category: "bytes", MayErr: true, Signatures: []Signature{sig(txt, byt, txt), sig(byt, txt, txt)},
		Doc: "ENCODE(bytes, 'hex'|'base64'): the bytes as text (small digits; padded, in one line); ENCODE(text, charset): the text's bytes in UTF-8, US-ASCII, ISO-8859-1, UTF-16BE or UTF-16LE (a character that it lacks is an error); another name is an error"},
	{Name: "decode", SQL: "DECODE", Category: "bytes", MayErr: true, Signatures: []Signature{sig(byt, txt, txt), sig(txt, byt, txt)},
		Doc: "DECODE(text, 'hex'|'base64'): the bytes that ENCODE wrote; DECODE(bytes, charset): the text; what is malformed is an error"},
	{Name: "to_base64", SQL: "TO_BASE64", Category: "bytes", Signatures: []Signature{sig(txt, txt), sig(txt, byt)}, Doc: "bytes, or a text's in UTF-8, in base64, padded, in one line"},
	{Name: "from_base64", SQL: "FROM_BASE64", Category: "bytes", MayErr: true, Signatures: []Signature{sig(txt, txt)}, Doc: "the text that TO_BASE64 wrote; what is malformed or no UTF-8 is an error (DECODE(text, 'base64') gives bytes)"},
	{Name: "hex", SQL: "HEX", Category: "bytes", Signatures: []Signature{sig(txt, txt), sig(txt, byt), sig(txt, in8)}, Doc: "bytes, a text's in UTF-8, or a whole number's 64 bits without zeros in front, in large hexadecimal digits"},
	{Name: "unhex", SQL: "UNHEX", Category: "bytes", MayNull: true, Signatures: []Signature{sig(byt, txt)}, Doc: "the bytes of hexadecimal digits, with a 0 in front of an odd number of them; NULL for other texts"},
}
