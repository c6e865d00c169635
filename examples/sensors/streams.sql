-- The streams that docs/sql.md asks about. Put a query behind them:
--
--     echo "SELECT * FROM readings" | go run ./cmd/millrace run examples/sensors/streams.sql -

-- Temperatures, up to two seconds out of order.
CREATE STREAM readings (
  at     TIMESTAMP,
  sensor VARCHAR,
  value  DOUBLE,
  WATERMARK FOR at AS at - INTERVAL '2' SECOND
) WITH (connector = 'file', path = 'examples/sensors/readings.csv');

CREATE STREAM alarms (
  at     TIMESTAMP,
  sensor VARCHAR,
  level  INTEGER,
  WATERMARK FOR at AS at
) WITH (connector = 'file', path = 'examples/sensors/alarms.ndjson');

-- As readings, but with a row that is late and one that is malformed.
CREATE STREAM rough (
  at     TIMESTAMP,
  sensor VARCHAR,
  value  INTEGER,
  WATERMARK FOR at AS at - INTERVAL '2' SECOND
) WITH (connector = 'file', path = 'examples/sensors/rough.csv');

-- Without WATERMARK and with an end: a table that streams look things up in.
CREATE TABLE rooms (sensor VARCHAR, room VARCHAR, warm DOUBLE)
WITH (connector = 'file', path = 'examples/sensors/rooms.csv');
