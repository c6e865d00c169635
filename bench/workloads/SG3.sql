-- Smart grid: houses with plugs above the average of all plugs, over 128 seconds, every second.
-- rows: smart_plugs 16384  lap: 41s  row: 32  touched: 24  check: 60000
CREATE STREAM smart_plugs (
  ts TIMESTAMP, value REAL, property INT, plug INT, household INT, house INT, WATERMARK FOR ts AS ts
) WITH (${source});

SELECT p.window_end, p.house, COUNT(*) AS outliers
FROM (SELECT window_end, plug, household, house, AVG(value) AS load
      FROM smart_plugs [RANGE 128 SECONDS SLIDE 1 SECOND] GROUP BY plug, household, house) AS p
JOIN (SELECT window_end, AVG(value) AS load
      FROM smart_plugs [RANGE 128 SECONDS SLIDE 1 SECOND]) AS g
ON p.window_end = g.window_end AND p.load > g.load
GROUP BY p.window_end, p.house;
