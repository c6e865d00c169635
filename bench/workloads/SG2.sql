-- Smart grid: average load of every plug over 128 seconds, every second.
-- rows: smart_plugs 16384  lap: 41s  row: 32  touched: 24  check: 150000
CREATE STREAM smart_plugs (
  ts TIMESTAMP, value REAL, property INT, plug INT, household INT, house INT, WATERMARK FOR ts AS ts
) WITH (${source});

SELECT window_end, plug, household, house, AVG(value) AS load
FROM smart_plugs [RANGE 128 SECONDS SLIDE 1 SECOND]
GROUP BY plug, household, house;
