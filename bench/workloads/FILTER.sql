-- Selection: rows for which one of so many rare conditions holds, so that all are tested.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 20  check: 70000
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT ts, a, b, c FROM numbers WHERE ${predicates};
