-- Linear Road: where every vehicle was in the last half minute, every second.
-- rows: position_reports 8192  lap: 260s  row: 32  touched: 24  check: 20000
CREATE STREAM position_reports (
  ts TIMESTAMP, vehicle INT, speed REAL, highway INT, lane INT, direction INT, position INT, WATERMARK FOR ts AS ts
) WITH (${source});

SELECT window_end, vehicle, highway, direction, position / 5280 AS segment, COUNT(*) AS reports
FROM position_reports [RANGE 30 SECONDS SLIDE 1 SECOND]
GROUP BY vehicle, highway, direction, position / 5280;
