-- Five million rows of 20 columns, ascending in one of them: half a GB in the folder one is in.
CREATE TABLE trips (
  id BIGINT, car INTEGER, driver INTEGER, zone INTEGER, kind VARCHAR, speed DOUBLE, distance DOUBLE, fare DOUBLE, tip DOUBLE, tolls DOUBLE,
  lat DOUBLE, lon DOUBLE, seats SMALLINT, paid BOOLEAN, note VARCHAR, a BIGINT, b BIGINT, c DOUBLE, d DOUBLE, e INTEGER
) WITH (connector = 'datagen', 'number-of-rows' = '5000000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '5000000',
  'fields.car.min' = '1', 'fields.car.max' = '1000', 'fields.kind.length' = '6', 'fields.note.length' = '20', 'fields.speed.min' = '0', 'fields.speed.max' = '130');
CREATE TABLE file (
  id BIGINT, car INTEGER, driver INTEGER, zone INTEGER, kind VARCHAR, speed DOUBLE, distance DOUBLE, fare DOUBLE, tip DOUBLE, tolls DOUBLE,
  lat DOUBLE, lon DOUBLE, seats SMALLINT, paid BOOLEAN, note VARCHAR, a BIGINT, b BIGINT, c DOUBLE, d DOUBLE, e INTEGER
) WITH (connector = 'file', path = 'trips.parquet');
INSERT INTO file SELECT * FROM trips;
