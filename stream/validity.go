package stream

// MakeValid gives the column a validity bitmap of so many words, contents unspecified, in
// a buffer that it has held before where that is long enough. Bits may be written behind
// the words, up to room.
func (c *Column) MakeValid(words, room int) {
	if c.Valid == nil {
		c.Valid = c.spare
	}
	if cap(c.Valid) < room {
		c.Valid = make(Bitmap, 0, 2*room)
	}
	c.Valid = c.Valid[:words]
}

// DropValid makes every value valid and keeps the bitmap's buffer.
func (c *Column) DropValid() {
	if c.Valid != nil {
		c.spare, c.Valid = c.Valid, nil
	}
}
