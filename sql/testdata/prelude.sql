-- The streams and tables that the golden queries use.
CREATE STREAM cars (
  ts BIGINT NOT NULL, car INT, speed REAL, highway INT, lane INT, direction INT, position INT, plate VARCHAR,
  event_time AS TO_TIMESTAMP_LTZ(ts, 0),
  WATERMARK FOR event_time AS event_time - INTERVAL '5' SECOND
) WITH (connector = 'file', path = '${data}/cars.csv', format = 'csv', header = true);

CREATE STREAM payments (
  at TIMESTAMP(3), cid INT, region VARCHAR, amount DOUBLE, waited INTERVAL,
  WATERMARK FOR at AS at
) WITH (connector = 'live', 'rows-per-second' = 10);

CREATE STREAM refunds (
  at TIMESTAMP, cid BIGINT, amount DOUBLE, paid BOOLEAN,
  WATERMARK FOR at AS at
) WITH (connector = 'live', late = 'drop', on_error = 'fail', idle_timeout = '5 seconds', max_watermark_jump = '1h');

CREATE TABLE customers (cid INT NOT NULL, name TEXT, home VARCHAR(20)) WITH ('connector' = 'filesystem', 'path' = 'customers.csv');
CREATE TABLE ticks (n INT, x DOUBLE) WITH (connector = 'live');
CREATE TABLE sums (cid BIGINT, total DOUBLE, note VARCHAR) WITH (connector = 'file', path = 'sums.csv');
