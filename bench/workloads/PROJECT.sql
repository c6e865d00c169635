-- Projection: so many expressions of a row.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 24  check: 20000
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT ts, ${expressions} FROM numbers;
