-- Theta join: windows of 1024 rows on both sides, so many predicates, few pairs.
-- rows: numbers 65536  lap: 65536ms  row: 32  touched: 12  check: 4096
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (${source});

SELECT l.a, l.b, r.a AS c
FROM numbers [ROWS 1024 SLIDE 1024] AS l JOIN numbers [ROWS 1024 SLIDE 1024] AS r
ON l.window_index = r.window_index AND ${pairs};
