-- Where was traffic slow this morning?
--
-- vehicles.csv is a recording of one hour on two highways: every vehicle tells its
-- speed twice a minute, with a few seconds of delay. Run it from the root of the repository:
--
--     go run ./cmd/millrace run examples/demo/demo.sql

CREATE STREAM vehicles (
  ts        TIMESTAMP,
  vehicle   INTEGER,
  highway   VARCHAR,
  direction VARCHAR,
  segment   INTEGER,      -- kilometre of the highway
  speed     REAL,         -- km/h
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND   -- wait this long for reports that are behind
) WITH (
  connector = 'file',
  path      = 'examples/demo/vehicles.csv',
  format    = 'csv',
  header    = true
);

-- Every five minutes: the segments where the average speed was below 40 km/h.
SELECT window_start, highway, direction, segment, COUNT(*) AS reports, ROUND(AVG(speed)) AS avg_speed
FROM vehicles [RANGE 5 MINUTES SLIDE 5 MINUTES]
GROUP BY highway, direction, segment
HAVING AVG(speed) < 40;
