-- Aggregation: ${function} over a minute, every so many seconds; 60 is tumbling.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 4  check: 200000
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT window_end, ${function}(v) AS result FROM numbers [RANGE 60 SECONDS SLIDE ${n} SECONDS];
