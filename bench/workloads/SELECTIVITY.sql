-- Selection: so many of a hundred rows, by one predicate.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 24  check: 70000
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT ts, a, b, c, v FROM numbers WHERE a < 100 * ${n};
