-- Scan: the sum of a column over tumbling windows; nothing but reading.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 4  check: 300000
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT window_end, SUM(v) AS total FROM numbers [RANGE 60 SECONDS SLIDE 60 SECONDS];
