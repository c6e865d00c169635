-- Grouping: the sum by a BIGINT key with so many values, ${distribution}, in windows of a million rows.
-- rows: ${distribution}_${n} 1048576  lap: 1048576ms  row: 32  touched: 20  check: 100000
CREATE STREAM keyed (ts TIMESTAMP, k BIGINT, v INT, WATERMARK FOR ts AS ts) WITH (${source});

SELECT window_index, k, SUM(v) AS total FROM keyed [ROWS 1048576 SLIDE 1048576] GROUP BY k;
