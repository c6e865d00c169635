-- A sum of a minute every second, of the rows that pass a filter.
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (
  connector = 'replay', path = 'numbers.csv', format = 'csv', header = true, number_of_rows = @rows@);

SELECT window_end, SUM(v) AS total, COUNT(*) AS n FROM numbers [RANGE 60 SECONDS SLIDE 1 SECOND] WHERE b % 3 = 1 AND v < 75;
