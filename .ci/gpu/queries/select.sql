-- Few rows stay of many: expressions over INT and REAL.
CREATE STREAM numbers (ts TIMESTAMP, a INT, b INT, c INT, v REAL, WATERMARK FOR ts AS ts) WITH (
  connector = 'replay', path = 'numbers.csv', format = 'csv', header = true, number_of_rows = @rows@);

SELECT ts, a, c, v FROM numbers WHERE (a * 7 + b) % 500 = 3 AND v * 2.5 > 240 AND (b < 100 OR c % 9 = 1);
