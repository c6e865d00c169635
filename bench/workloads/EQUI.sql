-- Equality join: windows of 100,000 rows on both sides, unique BIGINT keys, one match a row.
-- rows: keys 100000  lap: 100000ms  row: 32  touched: 12  check: 200000
CREATE STREAM keys (ts TIMESTAMP, k BIGINT, v INT, WATERMARK FOR ts AS ts) WITH (${source});

SELECT l.k, l.v, r.v AS w
FROM keys [ROWS 100000 SLIDE 100000] AS l JOIN keys [ROWS 100000 SLIDE 100000] AS r
ON l.window_index = r.window_index AND l.k = r.k;
