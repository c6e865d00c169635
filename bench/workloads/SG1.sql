-- Smart grid: average load of all plugs over the last hour, every second.
-- rows: smart_plugs 16384  lap: 41s  row: 32  touched: 4  check: 100000
CREATE STREAM smart_plugs (
  ts TIMESTAMP, value REAL, property INT, plug INT, household INT, house INT, WATERMARK FOR ts AS ts
) WITH (${source});

SELECT window_end, AVG(value) AS load
FROM smart_plugs [RANGE 3600 SECONDS SLIDE 1 SECOND];
