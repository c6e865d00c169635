#!/usr/bin/env python3
"""Makes the files of this folder: pip install pyarrow fastavro; python3 make.py

The same rows in each, as writers that Millrace does not share code with have them;
rows.ndjson has them as Millrace should show them."""
import datetime as dt
import json
from decimal import Decimal as D

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

utc = dt.timezone.utc
ROWS = [
    {"id": 1, "tags": ["a", None, ""], "grid": [[1, 2], [], None, [None]], "at": {"lat": 1.5, "day": dt.date(2026, 1, 2), "price": D("12.30")},
     "items": [{"sku": "x", "n": [1, None]}, None, {"sku": None, "n": None}], "pair": [1, 2]},
    {"id": 2, "tags": [], "grid": [], "at": None, "items": [], "pair": None},
    {"id": 3, "tags": None, "grid": None, "at": {"lat": None, "day": None, "price": None}, "items": None, "pair": [None, -1]},
    {"id": 4, "tags": [None], "grid": [None], "at": {"lat": -0.25, "day": dt.date(1, 1, 1), "price": D("-0.01")}, "items": [None], "pair": [None, None]},
] + [
    {"id": i, "tags": ["t%d" % (k % 7) for k in range(i % 20)], "grid": [list(range(k % 5)) for k in range(i % 11)], "at": {"lat": i / 4, "day": dt.date(2026, 1, 1 + i % 28), "price": D(i).scaleb(-2)},
     "items": [{"sku": "s%d" % k, "n": list(range(k % 3)) or None} for k in range(i * 7 % 12)], "pair": [i, -i]} for i in range(5, 50)
]


def shown(v):
    if isinstance(v, list):
        return "[" + ",".join(map(shown, v)) + "]"
    if isinstance(v, dict):
        return "{" + ",".join(json.dumps(k) + ":" + shown(x) for k, x in v.items()) + "}"
    if isinstance(v, float):
        return "%g" % v
    if isinstance(v, D):
        return str(v)
    if isinstance(v, dt.date):
        return '"%s"' % v.isoformat()
    return json.dumps(v)


with open("rows.ndjson", "w") as out:
    out.writelines(shown(r) + "\n" for r in ROWS)


def table(texts=pa.list_(pa.string()), grid=pa.list_(pa.list_(pa.int32())), numbers=pa.list_(pa.int64()), pair=pa.list_(pa.int32())):
    at = pa.struct([("lat", pa.float64()), ("day", pa.date32()), ("price", pa.decimal128(6, 2))])
    items = pa.list_(pa.struct([("sku", pa.string()), ("n", numbers)]))
    return pa.Table.from_pylist(ROWS, pa.schema([("id", pa.int64()), ("tags", texts), ("grid", grid), ("at", at), ("items", items), ("pair", pair)]))


t = table()
# pages that begin in the middle of rows, as the old form of pages allows
pq.write_table(t, "split.parquet", data_page_size=64, write_batch_size=16, use_dictionary=False, compression="none", data_page_version="1.0")
pq.write_table(t, "names.parquet", use_compliant_nested_type=False, row_group_size=20)
pq.write_table(t, "pages.parquet", data_page_size=256, write_batch_size=16, data_page_version="2.0", compression="zstd", write_page_index=True)
large = table(pa.large_list(pa.string_view()), pa.large_list(pa.list_(pa.int32())), pa.large_list(pa.int64()), pa.list_(pa.int32(), 2))
for name, t in (("plain.arrow", t), ("large.arrow", large)):
    with pa.OSFile(name, "wb") as out, pa.ipc.new_file(out, t.schema) as w:
        w.write_table(t, max_chunksize=20)


def null(t):
    return ["null", t]


def array(t):
    return {"type": "array", "items": t}


def record(name, **fields):
    return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields.items()]}


schema = record(
    "row", id="long", tags=null(array(null("string"))), grid=[array([array(null("int")), "null"]), "null"],
    at=null(record("place", lat=null("double"), day=null({"type": "int", "logicalType": "date"}), price=null({"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}))),
    items=null(array(null(record("item", sku=null("string"), n=null(array(null("long"))))))), pair=null(array(null("int"))))
with open("rows.avro", "wb") as out:
    fastavro.writer(out, fastavro.parse_schema(schema), ROWS, codec="deflate", sync_marker=b"0123456789abcdef", sync_interval=500)

# columns that no type of Millrace fits beside one that does
left = pa.table({"id": [1, 2], "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())), "deep": pa.array([[[("k", 1)]], None], pa.list_(pa.map_(pa.string(), pa.int32()))),
                 "s": pa.array([{"a": 1, "u": []}, None], pa.struct([("a", pa.int32()), ("u", pa.map_(pa.string(), pa.int32()))]))})
pq.write_table(left, "../unfit/map.parquet")
with pa.OSFile("../unfit/map.arrow", "wb") as out, pa.ipc.new_file(out, left.schema) as w:
    w.write_table(left)
schema = record("row", id="long", m=null({"type": "map", "values": "int"}), deep=null(array({"type": "map", "values": "int"})),
                s=null(record("s", a="int", u={"type": "map", "values": "int"})))
rows = [{"id": 1, "m": {"k": 1}, "deep": [{"k": 1}], "s": {"a": 1, "u": {}}}, {"id": 2, "m": None, "deep": None, "s": None}]
with open("../unfit/map.avro", "wb") as out:
    fastavro.writer(out, fastavro.parse_schema(schema), rows, sync_marker=b"0123456789abcdef")
