-- 64 groups in windows of ten seconds.
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (
  connector = 'replay', path = 'numbers.csv', format = 'csv', header = true, number_of_rows = @rows@);

SELECT window_end, a, COUNT(*) AS n, SUM(b) AS total, MAX(v) AS most, AVG(v) AS mean FROM numbers [RANGE 10 SECONDS SLIDE 10 SECONDS] GROUP BY a;
