-- Selection: one row in a hundred by two predicates.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 8  check: 200000
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT ts, a, b, v FROM numbers WHERE a < 1000 AND b < 1000;
