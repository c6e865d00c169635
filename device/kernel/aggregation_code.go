package kernel

import (
	"fmt"
	"strings"

	"github.com/millrace/millrace/device"
	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/operator"
	"github.com/millrace/millrace/stream"
)

// sharers is how many work groups share the rows of a task with so many entries.
const sharers = "#define SHARERS(entries) ((entries) > %d ? %d / (entries) : %d)\n"

// insertProbe finds a row's place in the table; the condition that row o is of its group is
// put in between.
const insertProbe = `
    i32 at = (i32)(h & (u64)(room - 1)), found = -1;
    for (i32 i = 0; i < PROBES_MAX && found < 0; i++) {
      i32 was = SWAP_IF(&table[at], 0, g + 1), o = was - 1;
      if (was == 0 || (%s)) found = at;
      at = (at + 1) & (room - 1);
    }
    slot[g] = found;
    if (found >= 0) MIN(&firsts[found], g);
    else ADD(&counts[2], 1);
`

// sortBody sorts a tile of rows by entry, those of one entry in order. A sorted value is the
// entry's number and the row's within the tile.
const sortBody = `
  SHARED i32 keys[GROUP_ITEMS];
  i32 g = ITEM, l = LOCAL, id = ENTRIES_MAX;
  if (g < n && slot[g] >= 0) id = ids[slot[g]];
  if (id > ENTRIES_MAX) id = ENTRIES_MAX;
  keys[l] = id << 8 | l;
  MEET();
  for (i32 k = 2; k <= GROUP_ITEMS; k <<= 1) {
    for (i32 j = k >> 1; j > 0; j >>= 1) {
      i32 o = l ^ j, mine = keys[l], other = keys[o];
      i32 low = mine < other ? mine : other, high = mine < other ? other : mine;
      i32 ascends = (l & k) == 0, first = l < o;
      MEET();
      keys[l] = ascends == first ? low : high;
      MEET();
    }
  }
  sorted[g] = keys[l];
`

// addEntries writes the kernels. keys are the first of the columns that the row code ends
// with, arguments the others.
func (a *Aggregation) addEntries(b *rowCode, exprs []*model.Expr, keys int) error {
	var temporaries []string
	for i, x := range exprs {
		name := columnName(i, keys)
		a.layout.buffer(device.TemporaryArg, name, memoryType(x.Type), perRow(bytesOf(memoryType(x.Type))))
		a.layout.buffer(device.TemporaryArg, name+"_known", "u8", perRow(1))
		temporaries = append(temporaries, name, name+"_known")
	}
	a.layout.buffer(device.TemporaryArg, "sorted", "i32", extent{each: 4 * groupItems, per: groupItems})
	decide, err := a.decide(b, exprs, keys)
	if err != nil {
		return err
	}
	l := a.layout
	ofKeys := temporaries[:2*keys]
	first := "  SHARED i32 sums[GROUP_ITEMS];\n  i32 g = ITEM, l = LOCAL, live = 0;\n  if (g < n && slot[g] >= 0) live = firsts[slot[g]] == g;\n" + placeBody
	clear := "  i32 i = ITEM;\n  if (i < 4) counts[i] = 0;\n  if (i < room) { table[i] = 0; firsts[i] = 2147483647; }\n"
	for _, e := range []struct {
		name  string
		items device.Extent
		names []string
		body  string
	}{
		{"begin", device.Extent{Each: 1, Scalar: a.room}, []string{"counts", "room", "table", "firsts"}, clear},
		{"decide", allRows, names(b.parameters, []string{"counts", "errors", "pane", "position", "slot"}, temporaries), decide},
		{"insert", allRows, names([]string{"n", "room", "pane", "slot", "table", "firsts", "counts"}, ofKeys), insertBody(exprs[:keys])},
		{"first", allRows, []string{"n", "slot", "firsts", "place", "blocks"}, first},
		{"scan", oneGroup, []string{"n", "blocks", "counts"}, scanBody},
		{"show", allRows, names([]string{"n", "place", "blocks", "slot", "ids", "position", "counts", "position_of"}, ofKeys, a.shownNames()), a.showBody()},
		{"sort", allRows, []string{"n", "slot", "ids", "sorted"}, sortBody},
	} {
		if err := l.entry(e.name, e.items, e.names, e.body); err != nil {
			return err
		}
	}
	for i := range a.cells {
		if err := a.addCell(i, keys); err != nil {
			return err
		}
	}
	pack := newPacker("(counts[0] < ENTRIES_MAX ? counts[0] : ENTRIES_MAX)")
	for i, k := range a.keys {
		name := fmt.Sprintf("show%d", i)
		if k.t == stream.Boolean {
			pack.bits(name+"_bytes", name)
		}
		pack.bits(name+"_valid_bytes", name+"_valid")
	}
	return pack.entry(l, allWords)
}

// columnName is the temporary buffer of a key or an argument.
func columnName(i, keys int) string {
	if i < keys {
		return fmt.Sprintf("key%d", i)
	}
	return fmt.Sprintf("arg%d", i-keys)
}

// decide keeps what rows need of their group: pane, keys, arguments.
func (a *Aggregation) decide(b *rowCode, exprs []*model.Expr, keys int) (string, error) {
	code, columns, time, err := b.emit(true)
	if err != nil {
		return "", err
	}
	text := &emitterText{}
	text.add("  i32 g = ITEM, live = 0, failed = 0;\n  if (g < n) do {\n%s", code)
	switch a.form {
	case model.Range:
		text.add("    position[g] = %s;\n", time)
	case model.Rows:
		text.add("    position[g] = ADD_I64(base, g);\n")
	default:
		text.add("    position[g] = 0;\n")
	}
	pane := "0"
	if a.form != model.NoWindow {
		edge := a.grid.Size % a.grid.Slide
		if edge == 0 {
			edge = a.grid.Slide
		}
		pane = fmt.Sprintf("pane_of(position[g], %s, %s)", whole(a.grid.Slide), whole(edge))
	}
	text.add("    pane[g] = %s;\n", pane)
	for i := range exprs {
		name, v := columnName(i, keys), columns[i]
		text.add("    %s[g] = (%s)%s;\n    %s_known[g] = (u8)!%s;\n", name, memoryType(v.t), v.value, name, v.null)
	}
	text.add("  } while (0);\n  if (g < n) slot[g] = live ? 0 : -1;\n%s", failBody)
	return text.String(), nil
}

// insertBody finds for every live row a row of its group in a hash table.
func insertBody(keys []*model.Expr) string {
	text := &emitterText{}
	text.add("  i32 g = ITEM;\n  if (g < n && slot[g] >= 0) {\n    u64 h = mix(0, pane[g]);\n")
	same := []string{"pane[o] == pane[g]"}
	for i, k := range keys {
		bits := fmt.Sprintf("(i64)key%d[g]", i)
		if k.Type.IsFloat() {
			bits = fmt.Sprintf("KEY_%s(key%d[g])", strings.ToUpper(ctype(k.Type)), i)
		}
		text.add("    h = mix(h, key%d_known[g] ? %s : (i64)-7);\n", i, bits)
		same = append(same, fmt.Sprintf("key%d_known[o] == key%d_known[g] && (!key%d_known[g] || %s)", i, i, i,
			equal(k.Type, fmt.Sprintf("key%d[o]", i), fmt.Sprintf("key%d[g]", i))))
	}
	text.add(insertProbe, strings.Join(same, " && "))
	text.add("  }\n")
	return text.String()
}

// shownNames are the outputs of keys that rows write.
func (a *Aggregation) shownNames() []string {
	var out []string
	for i, k := range a.keys {
		name := fmt.Sprintf("show%d", i)
		if k.t == stream.Boolean {
			out = append(out, name+"_bytes")
		} else {
			out = append(out, name)
		}
		out = append(out, name+"_valid_bytes")
	}
	return out
}

// showBody numbers the entries and puts out what the first row of each shows.
func (a *Aggregation) showBody() string {
	text := &emitterText{}
	text.add(`  i32 g = ITEM;
  if (g < n && place[g] >= 0) {
    i32 id = blocks[GROUP] + place[g];
    ids[slot[g]] = id;
    if (id >= ENTRIES_MAX) {
      ADD(&counts[2], 1);
    } else {
      position_of[id] = position[g];
`)
	shown := a.shownNames()
	for i := range a.keys {
		text.add("      %s[id] = key%d[g];\n      %s[id] = key%d_known[g];\n", shown[2*i], i, shown[2*i+1], i)
	}
	text.add("    }\n  }\n")
	return text.String()
}

// addCell writes the two kernels of cell i: accumulate and merge.
func (a *Aggregation) addCell(i, keys int) error {
	c := &a.cells[i]
	var tables, results, arguments []string
	for _, f := range c.fields {
		tables = append(tables, fmt.Sprintf("table%d_%s", i, f.name))
		results = append(results, fmt.Sprintf("cell%d_%s", i, f.name))
	}
	value, known := "0", "1"
	if c.arg >= 0 {
		name := columnName(c.arg+keys, keys)
		arguments = []string{name, name + "_known"}
		value, known = name+"[row]", name+"_known[row]"
	}
	if err := a.layout.entry(fmt.Sprintf("accumulate%d", i), device.Extent{Fixed: workGroups * groupItems},
		names([]string{"n", "counts", "sorted"}, arguments, tables), c.accumulate(i, value, known)); err != nil {
		return err
	}
	return a.layout.entry(fmt.Sprintf("merge%d", i), allRows, names([]string{"counts"}, tables, results), c.merge(i))
}

// accumulate is the kernel of invariant 2: b_ are the fields of a work item's value, a_
// those of an older one, all_ the ones that a group shares.
func (c *cell) accumulate(i int, value, known string) string {
	t := &emitterText{}
	a, b := func(f field) string { return "a_" + f.name }, func(f field) string { return "b_" + f.name }
	shared := c.each(func(f field) string { return fmt.Sprintf("SHARED %s all_%s[GROUP_ITEMS];", f.ctype, f.name) })
	zero := c.each(func(f field) string { return fmt.Sprintf("table%d_%s[own + i] = 0;", i, f.name) })
	share := c.each(func(f field) string { return fmt.Sprintf("all_%s[l] = b_%s;", f.name, f.name) })
	before := c.each(func(f field) string { return fmt.Sprintf("%s a_%s = all_%s[from];", f.ctype, f.name, f.name) })
	total := c.each(func(f field) string {
		return fmt.Sprintf("%s a_%s = table%d_%s[own + id];", f.ctype, f.name, i, f.name)
	})
	store := c.each(func(f field) string { return fmt.Sprintf("table%d_%s[own + id] = b_%s;", i, f.name, f.name) })
	t.add("  SHARED i32 all_id[GROUP_ITEMS];\n  %s\n", shared)
	t.add(`  i32 l = LOCAL, entries = counts[0];
  i32 tiles = (n + GROUP_ITEMS - 1) / GROUP_ITEMS;
  if (entries > ENTRIES_MAX) entries = ENTRIES_MAX;
  i32 shares = SHARERS(entries), each = (tiles + shares - 1) / shares, end = (GROUP + 1) * each, own = GROUP * entries;
  if (GROUP >= shares) entries = 0;
  if (end > tiles) end = tiles;
  for (i32 i = l; i < entries; i += GROUP_ITEMS) { %s}
  MEET();
  for (i32 tile = GROUP * each; tile < end; tile++) {
    i32 key = sorted[tile * GROUP_ITEMS + l], id = key >> 8, row = tile * GROUP_ITEMS + (key & 255);
    i32 counts_in = id < ENTRIES_MAX;
`, zero)
	// Rows that are in no entry read row 0, which there is, and are not looked at.
	t.add("    if (!counts_in) row = 0;\n")
	t.add("    i32 is_known = counts_in && %s;\n", known)
	if c.arg >= 0 && c.kind != operator.CountCell {
		t.add("    %s v = is_known ? (%s)%s : (%s)0;\n", ctype(c.t), ctype(c.t), value, ctype(c.t))
	}
	for k, text := range c.of("v", "is_known") {
		t.add("    %s b_%s = %s;\n", c.fields[k].ctype, c.fields[k].name, text)
	}
	t.add("    all_id[l] = id;\n    %s\n    MEET();\n", share)
	t.add("    for (i32 d = 1; d < GROUP_ITEMS; d <<= 1) {\n      i32 from = l >= d ? l - d : l, joins = l >= d && all_id[from] == id;\n      %s\n      MEET();\n", before)
	t.add("      if (joins) { %s %s}\n      MEET();\n    }\n", c.join(a, b), share)
	t.add("    if (counts_in && (l == GROUP_ITEMS - 1 || all_id[l < GROUP_ITEMS - 1 ? l + 1 : l] != id)) {\n      %s\n      %s %s\n    }\n    MEET();\n  }\n", total, c.join(a, b), store)
	return t.String()
}

// merge is the kernel that joins the tables of the work groups.
func (c *cell) merge(i int) string {
	t := &emitterText{}
	a, b := func(f field) string { return "a_" + f.name }, func(f field) string { return "b_" + f.name }
	t.add("  i32 id = ITEM, entries = counts[0];\n  if (entries > ENTRIES_MAX) entries = ENTRIES_MAX;\n  if (id < entries) {\n    %s\n",
		c.each(func(f field) string { return fmt.Sprintf("%s b_%s = 0;", f.ctype, f.name) }))
	t.add("    for (i32 w = 0; w < SHARERS(entries); w++) {\n      %s\n      %s\n      %s\n    }\n    %s\n  }\n",
		c.each(func(f field) string { return fmt.Sprintf("%s a_%s = b_%s;", f.ctype, f.name, f.name) }),
		c.each(func(f field) string {
			return fmt.Sprintf("b_%s = table%d_%s[w * entries + id];", f.name, i, f.name)
		}),
		c.join(a, b),
		c.each(func(f field) string { return fmt.Sprintf("cell%d_%s[id] = b_%s;", i, f.name, f.name) }))
	return t.String()
}
