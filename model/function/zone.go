package function

// zones are the functions that know time zones. A zone is an IANA name as it is written
// there or an offset such as +02:00, east of UTC; package internal/zone says what it makes
// of readings of a clock that do not exist or exist twice. The SQL front end makes these
// calls of AT TIME ZONE, and of what depends on the session's zone.
var zones = []Function{
	{Name: "zone_reading", SQL: "instant AT TIME ZONE zone", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, tim, txt)},
		Doc: "what a zone's clock shows at an instant (TIMESTAMP WITH TIME ZONE); an unknown zone is an error"},
	{Name: "zone_instant", SQL: "ts AT TIME ZONE zone", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, tim, txt)},
		Doc: "the instant (TIMESTAMP WITH TIME ZONE) at which a zone's clock shows a TIMESTAMP: the later of two, and a time that the clock skips is taken with the offset before; an unknown zone is an error"},
	{Name: "zone_text", SQL: "CAST(instant AS VARCHAR)", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(txt, tim, txt)},
		Doc: "text of an instant in the session's time zone: 2026-01-02T03:04:05+01:00"},
	{Name: "zone_read", SQL: "CAST(text AS TIMESTAMP_LTZ)", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, txt, txt)},
		Doc: "instant of a text that may end in Z, an offset or a blank and a zone's name; without one it is in the session's time zone"},
	{Name: "zone_try_read", SQL: "TRY_CAST(text AS TIMESTAMP_LTZ)", Syntax: true, Category: "time", MayErr: true, MayNull: true, Signatures: []Signature{sig(tim, txt, txt)},
		Doc: "the same, NULL where the text is none"},
	{Name: "zone_trunc", SQL: "DATE_TRUNC(unit, instant, zone)", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, txt, tim, txt)},
		Doc: "DATE_TRUNC by the clock of a zone"},
	{Name: "zone_ceil", SQL: "CEIL(instant TO unit)", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, txt, tim, txt)},
		Doc: "CEIL by the clock of the session's time zone, which is the last argument"},
	{Name: "time_cut", SQL: "CAST(ts AS TIMESTAMP(p))", Syntax: true, Category: "time", MayErr: true, Signatures: []Signature{sig(tim, tim, in4), sig(tod, tod, in4)},
		Doc: "cut down to p digits of the second's fraction, 0 to 6; another p is an error"},
}
