-- Scan of all columns: their sums over tumbling windows; nothing but reading.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 16  check: 300000
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT window_end, SUM(a) AS sum_a, SUM(b) AS sum_b, SUM(c) AS sum_c, SUM(v) AS sum_v FROM numbers [RANGE 60 SECONDS SLIDE 60 SECONDS];
