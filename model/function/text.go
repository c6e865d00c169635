package function

import "github.com/millrace/millrace/stream"

// texts are the functions of text beyond the core.
var texts = []Function{
	{Name: "left", SQL: "LEFT", Category: "text", Signatures: []Signature{sig(txt, txt, in8)}, Doc: "the first n characters; all but the last -n if n is negative"},
	{Name: "right", SQL: "RIGHT", Category: "text", Signatures: []Signature{sig(txt, txt, in8)}, Doc: "the last n characters; all but the first -n if n is negative"},
	{Name: "reverse", SQL: "REVERSE", Category: "text", Signatures: []Signature{sig(txt, txt)}, Doc: "the characters in the opposite order"},
	{Name: "repeat", SQL: "REPEAT", Category: "text", MayErr: true, Signatures: []Signature{sig(txt, txt, in8)}, Doc: "the text n times, empty for n below 1; more than 256 KiB is an error"},
	{Name: "lpad", SQL: "LPAD", Category: "text", MayErr: true, Signatures: []Signature{sig(txt, txt, in8), sig(txt, txt, in8, txt)},
		Doc: "n characters: text filled in front with the third (a blank), over and over, or cut at its end; an empty third fills nothing; more than 256 KiB is an error"},
	{Name: "rpad", SQL: "RPAD", Category: "text", MayErr: true, Signatures: []Signature{sig(txt, txt, in8), sig(txt, txt, in8, txt)}, Doc: "LPAD that fills behind"},
	{Name: "overlay", SQL: "OVERLAY", Category: "text", MayErr: true, Signatures: []Signature{sig(txt, txt, txt, in8), sig(txt, txt, txt, in8, in8)},
		Doc: "OVERLAY(text PLACING new FROM n FOR m): m characters (as many as new has) from the n-th on replaced by new; n below 1 or m below 0 is an error"},
	{Name: "initcap", SQL: "INITCAP", Category: "text", Signatures: []Signature{sig(txt, txt)}, Doc: "the first letter of each run of letters and digits in upper, others in lower case"},
	{Name: "translate", SQL: "TRANSLATE", Category: "text", Signatures: []Signature{sig(txt, txt, txt, txt)}, Doc: "each character that is the n-th of the second replaced by the n-th of the third, removed if there is none"},
	{Name: "concat_ws", SQL: "CONCAT_WS", Category: "text", Nulls: Special, Signatures: []Signature{{Args: []stream.Type{txt, txt}, Variadic: true, Result: txt}},
		Doc: "the other texts with the first between them, NULL ones left out; NULL if the first is"},
	{Name: "split_index", SQL: "SPLIT_INDEX", Category: "text", MayNull: true, Signatures: []Signature{sig(txt, txt, txt, in8)}, Doc: "piece n, counted from 0, of the text cut at every occurrence of the second (not at all if that is empty); NULL if there is none"},
	{Name: "split_part", SQL: "SPLIT_PART", Category: "text", MayErr: true, Signatures: []Signature{sig(txt, txt, txt, in8)}, Doc: "SPLIT_INDEX counted from 1, or from -1 backwards; empty if there is none, 0 is an error"},
	{Name: "octet_length", SQL: "OCTET_LENGTH", Category: "text", Signatures: []Signature{sig(in4, txt), sig(in4, byt)}, Doc: "number of bytes (UTF-8)"},
	{Name: "ascii", SQL: "ASCII", Category: "text", Signatures: []Signature{sig(in4, txt)}, Doc: "code point of the first character, 0 for an empty text"},
	{Name: "chr", SQL: "CHR", Category: "text", MayErr: true, Signatures: []Signature{sig(txt, in8)}, Doc: "the character of a code point; 0 and what is none is an error"},
	{Name: "ends_with", SQL: "ENDS_WITH", Category: "text", Signatures: []Signature{sig(boo, txt, txt)}, Doc: "whether the first ends with the second; also ENDSWITH"},
}
