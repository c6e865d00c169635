-- Linear Road: congested segments, by the average speed over five minutes, every second.
-- rows: position_reports 16384  lap: 520s  row: 32  touched: 24  check: 60000
CREATE STREAM position_reports (
  ts TIMESTAMP, vehicle INT, speed REAL, highway INT, lane INT, direction INT, position INT, WATERMARK FOR ts AS ts
) WITH (${source});

SELECT window_end, highway, direction, position / 5280 AS segment, AVG(speed) AS speed
FROM position_reports [RANGE 300 SECONDS SLIDE 1 SECOND]
GROUP BY highway, direction, position / 5280
HAVING AVG(speed) < 40;
