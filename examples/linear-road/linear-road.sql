-- The Linear Road benchmark (Arasu et al., VLDB 2004): tolls that depend on traffic, warnings
-- of accidents, balances and earlier expenditures, all within five seconds. README.md
-- beside this file tells the rules.
--
--     go run ./examples/linear-road/generate -cars 6000 -minutes 12 -out /tmp/lr
--     go run ./cmd/millrace run examples/linear-road/linear-road.sql --set data=/tmp/lr --set out=/tmp/lr < /tmp/lr/input.csv
--     go run ./examples/linear-road/validate -data /tmp/lr -out /tmp/lr
--
-- What SQL here has no aggregate for - the report before this one, the value of the last
-- minute - is MAX or MIN of a number whose high bits are the time: (time << 32) | value.

CREATE STREAM input (
  type   INTEGER NOT NULL,    -- 0 report, 2 request of a balance, 3 of an expenditure
  time   INTEGER NOT NULL,    -- seconds
  vid    INTEGER,             -- vehicle
  speed  INTEGER,             -- miles per hour
  xway   INTEGER,             -- expressway
  lane   INTEGER,             -- 0 entrance ramp, 1 to 3, 4 exit ramp
  dir    INTEGER,             -- 0 east, 1 west
  seg    INTEGER,             -- 0 to 99, a mile each
  pos    INTEGER,             -- feet
  qid    INTEGER,             -- number of a request
  s_init INTEGER, s_end INTEGER, dow INTEGER, tod INTEGER,   -- of requests that nobody answers
  day    INTEGER,             -- 1 is yesterday
  at AS TO_TIMESTAMP_LTZ(time, 0),
  WATERMARK FOR at AS at
) WITH (connector = 'stdin', format = 'csv', header = false);

-- Tables: what a vehicle paid on earlier days, all segments, and how far accidents reach upstream.
CREATE TABLE history (vid INTEGER, day INTEGER, xway INTEGER, toll INTEGER)
  WITH (connector = 'file', path = '${data}/history.csv', format = 'csv', header = true);
CREATE TABLE segments (xway INTEGER, dir INTEGER, seg INTEGER)
  WITH (connector = 'file', path = '${data}/segments.csv', format = 'csv', header = true);
CREATE TABLE zone (dir INTEGER, distance INTEGER, shift INTEGER)
  WITH (connector = 'file', path = 'examples/linear-road/zone.csv', format = 'csv', header = true);

-- All segments once more, as a stream of the second before the first: they are empty then.
CREATE STREAM opening (xway INTEGER, dir INTEGER, seg INTEGER,
  at AS TIMESTAMP '1969-12-31 23:59:59', WATERMARK FOR at AS at)
  WITH (connector = 'file', path = '${data}/segments.csv', format = 'csv', header = true);

CREATE STREAM tolls        (time BIGINT, vid BIGINT, lav BIGINT, toll BIGINT)
  WITH (connector = 'file', path = '${out}/tolls.csv', format = 'csv', header = false);
CREATE STREAM alerts       (time BIGINT, vid BIGINT, seg BIGINT)
  WITH (connector = 'file', path = '${out}/alerts.csv', format = 'csv', header = false);
CREATE STREAM balances     (time BIGINT, qid BIGINT, vid BIGINT, balance BIGINT)
  WITH (connector = 'file', path = '${out}/balances.csv', format = 'csv', header = false);
CREATE STREAM expenditures (time BIGINT, qid BIGINT, vid BIGINT, toll BIGINT)
  WITH (connector = 'file', path = '${out}/expenditures.csv', format = 'csv', header = false);

-- 1. Every report beside the one before it. A place is expressway (8 bits), direction (1), feet (20) and lane (3).

CREATE VIEW places AS
SELECT vid, time, (xway::BIGINT << 24) | (dir::BIGINT << 23) | (pos::BIGINT << 3) | lane::BIGINT AS place
FROM input WHERE type = 0;

CREATE VIEW pairs AS
SELECT vid, MAX((time::BIGINT << 32) | place) AS cur, MIN((time::BIGINT << 32) | place) AS prev
FROM places [PARTITION BY vid ROWS 2]
GROUP BY vid;

CREATE VIEW steps AS
SELECT vid, cur >> 32 AS time, cur & 4294967295 AS place, prev & 4294967295 AS place_before,
  (cur >> 24) & 255 AS xway, (cur >> 23) & 1 AS dir, ((cur >> 3) & 1048575) / 5280 AS seg, cur & 7 AS lane,
  (cur >> 32) - (prev >> 32) = 30 AS goes_on           -- no report 30 seconds ago: a new trip
FROM pairs;

CREATE VIEW crossings AS
SELECT vid, time, time / 60 AS minute, xway, dir, seg, lane, goes_on
FROM steps
WHERE NOT (goes_on AND place >> 23 = place_before >> 23 AND seg = ((place_before >> 3) & 1048575) / 5280);

-- 2. Accidents. A car has stopped after four reports from one place: three in a row that are as the one before.

CREATE VIEW stopped AS
SELECT vid, time, place FROM (
  SELECT vid, MAX(time) AS time, MIN(time) AS since, COUNT(*) AS reports, MAX(place) AS place
  FROM (SELECT vid, time, place FROM steps WHERE goes_on AND place = place_before) AS s [PARTITION BY vid ROWS 3]
  GROUP BY vid
) AS s
WHERE reports = 3 AND time - since = 60;

-- What still stands when a minute ends has reported in its second half.
CREATE VIEW accidents AS
SELECT place >> 24 AS xway, (place >> 23) & 1 AS dir, ((place >> 3) & 1048575) / 5280 AS seg,
  EXTRACT(EPOCH FROM window_end)::BIGINT / 60 AS minute          -- in which it counts
FROM (SELECT vid, place FROM stopped WHERE time % 60 >= 30) AS s [RANGE 1 MINUTE SLIDE 1 MINUTE]
GROUP BY place
HAVING COUNT(DISTINCT vid) >= 2;

-- 3. Statistics of segments, by the minute in which they count.

CREATE VIEW speeds AS
SELECT window_end, vid, xway, dir, seg, AVG(speed) AS speed
FROM input [RANGE 1 MINUTE SLIDE 1 MINUTE] WHERE type = 0
GROUP BY vid, xway, dir, seg;

CREATE VIEW traffic AS
SELECT xway, dir, seg, EXTRACT(EPOCH FROM window_end)::BIGINT / 60 AS minute, COUNT(*) AS cars, AVG(speed) AS speed
FROM speeds
GROUP BY window_end, xway, dir, seg;

-- There is no outer join: every minute each segment gets a fact that says nothing.
CREATE VIEW minutes AS
SELECT xway, EXTRACT(EPOCH FROM window_end)::BIGINT / 60 AS minute
FROM input [RANGE 1 MINUTE SLIDE 1 MINUTE] WHERE type = 0
GROUP BY xway;

CREATE VIEW facts AS
SELECT xway, dir, seg, (minute << 32) | cars AS cars, speed, NULL::BIGINT AS nearness
FROM traffic
UNION ALL
SELECT m.xway, s.dir, s.seg, minute << 32, NULL::DOUBLE, NULL::BIGINT
FROM minutes AS m JOIN segments AS s ON s.xway = m.xway
UNION ALL
SELECT a.xway, a.dir, a.seg + z.shift, minute << 32, NULL::DOUBLE, (minute << 32) | (4 - distance)
FROM accidents AS a JOIN zone AS z ON z.dir = a.dir;

CREATE VIEW states AS
SELECT xway, dir, seg, minute, COALESCE(lav, 0) AS lav,
  IF(cars >> 32 = minute, cars & 4294967295, 0) AS cars,
  IF(nearness >> 32 = minute, 4 - (nearness & 4294967295), NULL) AS distance      -- of the nearest accident
FROM (
  SELECT xway, dir, seg, EXTRACT(EPOCH FROM window_end)::BIGINT / 60 AS minute,
    FLOOR(AVG(speed) + 1e-9)::BIGINT AS lav,      -- 40, if the mean of rounded means is a little less
    MAX(cars) AS cars, MAX(nearness) AS nearness
  FROM facts [RANGE 5 MINUTES SLIDE 1 MINUTE]
  GROUP BY xway, dir, seg
) AS s
UNION ALL
SELECT xway, dir, seg, 0, 0, 0, NULL::BIGINT FROM opening;

-- 4. What cars are told as they enter a segment.

CREATE VIEW notices AS
SELECT c.vid, c.time, c.dir, c.seg, c.lane, c.goes_on, s.lav, s.distance,
  CASE WHEN s.lav < 40 AND s.cars > 50 AND s.distance IS NULL AND c.lane <> 4
       THEN 2 * (s.cars - 50) * (s.cars - 50) ELSE 0 END AS toll
FROM crossings [NOW] AS c, states [PARTITION BY xway, dir, seg ROWS 1] AS s
WHERE c.xway = s.xway AND c.dir = s.dir AND c.seg = s.seg AND c.minute = s.minute;

INSERT INTO tolls SELECT time, vid, lav, toll FROM notices WHERE lane <> 4;

INSERT INTO alerts SELECT time, vid, seg + IF(dir = 0, distance, -distance) FROM notices WHERE lane <> 4 AND distance IS NOT NULL;

-- 5. A segment is paid when it is left: with the next notice of the same trip.

CREATE VIEW charges AS
SELECT vid, cur >> 32 AS time, prev & 2147483647 AS toll
FROM (
  SELECT vid, MAX(told) AS cur, MIN(told) AS prev
  FROM (SELECT vid, (time << 32) | (goes_on::BIGINT << 31) | toll AS told FROM notices) AS n [PARTITION BY vid ROWS 2]
  GROUP BY vid
) AS n
WHERE cur <> prev AND (cur >> 31) & 1 = 1 AND prev & 2147483647 > 0;

-- There is no sum of everything so far that keeps the sum alone: a car's last thousand charges and requests are kept.
-- A request is a charge of nothing that carries its number.
CREATE VIEW accounts AS
SELECT vid, MAX(what) AS what, SUM(toll) AS balance
FROM (
  SELECT vid::BIGINT AS vid, time << 32 AS what, toll FROM charges
  UNION ALL
  SELECT vid, (time::BIGINT << 32) | qid::BIGINT, 0 FROM input WHERE type = 2
) AS a [PARTITION BY vid ROWS 1000]
GROUP BY vid;

INSERT INTO balances SELECT what >> 32, what & 4294967295, vid, balance FROM accounts WHERE what & 4294967295 > 0;

-- 6. Earlier days.

INSERT INTO expenditures
SELECT i.time, i.qid, i.vid, h.toll
FROM input AS i JOIN history AS h ON h.vid = i.vid AND h.xway = i.xway AND h.day = i.day
WHERE i.type = 3;
