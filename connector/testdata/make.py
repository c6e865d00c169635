#!/usr/bin/env python3
"""Makes the files of this folder: pip install pyarrow fastavro; python3 make.py

The same rows in each, as writers that Millrace does not share code with have them."""
import datetime as dt
from decimal import Decimal as D

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

utc = dt.timezone.utc
ROWS = {
    "d4": [D("-99.99"), D("0.01"), None, D("12.30")],
    "d18": [D("999999999999999.999"), D("-999999999999999.999"), D("0"), None],
    "d38": [D("9" * 38), D("-" + "9" * 38), None, D("1")],
    "ti": [-128, 127, None, 0],
    "sm": [-32768, 32767, None, 0],
    "day": [dt.date(1, 1, 1), dt.date(9999, 12, 31), None, dt.date(1969, 12, 31)],
    "clock": [dt.time(0), dt.time(23, 59, 59, 999999), None, dt.time(3, 4, 5)],
    "at": [dt.datetime(1, 1, 1, tzinfo=utc), dt.datetime(2999, 12, 31, 23, 59, 59, 999999, utc), None, dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=utc)],
    "raw": [b"", b"\x00\xff", None, b"abc"],
}


def table(d4, d18, d38):
    types = dict(d4=d4, d18=d18, d38=d38, ti=pa.int8(), sm=pa.int16(), day=pa.date32(), clock=pa.time64("us"), at=pa.timestamp("us", "UTC"), raw=pa.binary())
    return pa.table({n: pa.array(v, types[n]) for n, v in ROWS.items()})


plain = table(pa.decimal128(4, 2), pa.decimal128(18, 3), pa.decimal128(38, 0))
pq.write_table(plain, "fixed.parquet", use_dictionary=False, write_page_index=True)
pq.write_table(plain, "dictionary.parquet")
pq.write_table(plain, "integers.parquet", store_decimal_as_integer=True, row_group_size=2)
for name, t in (("decimals.arrow", table(pa.decimal32(4, 2), pa.decimal64(18, 3), pa.decimal256(38, 0))), ("plain.arrow", plain)):
    with pa.OSFile(name, "wb") as out, pa.ipc.new_file(out, t.schema) as w:
        w.write_table(t)


def dec(kind, p, s, **more):
    return {"type": kind, "logicalType": "decimal", "precision": p, "scale": s, **more}


schema = {"type": "record", "name": "row", "fields": [{"name": n, "type": ["null", t]} for n, t in {
    "d4": {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
    "d18": dec("fixed", 18, 3, size=9, name="wide"),
    "d38": {"type": "bytes", "logicalType": "decimal", "precision": 38},  # the scale is 0 where it is left out
    "ti": "int", "sm": "int",
    "day": {"type": "int", "logicalType": "date"},
    "clock": {"type": "long", "logicalType": "time-micros"},
    "at": {"type": "long", "logicalType": "timestamp-micros"},
    "raw": "bytes",
}.items()]}
with open("rows.avro", "wb") as out:
    rows = [dict(zip(ROWS, line)) for line in zip(*ROWS.values())]
    fastavro.writer(out, fastavro.parse_schema(schema), rows, codec="deflate", sync_marker=b"0123456789abcdef")
