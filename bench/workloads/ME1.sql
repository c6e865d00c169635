-- Manufacturing equipment: averages of three sensors over a minute, every second, at 100 Hz.
-- rows: sensors 4096  lap: 40960ms  row: 64  touched: 12  check: 60000
CREATE STREAM sensors (ts TIMESTAMP, a INT, b INT, c INT, WATERMARK FOR ts AS ts) WITH (${source});

SELECT window_end, AVG(a) AS a, AVG(b) AS b, AVG(c) AS c
FROM sensors [RANGE 60 SECONDS SLIDE 1 SECOND];
