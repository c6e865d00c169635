-- Which cards were used in two regions within five minutes?
--
-- For every payment, the payments of the last five minutes (W) are compared with the
-- last payment of each customer (L). A customer appears when they begin to differ.
--
--     go run ./cmd/millrace run examples/fraud/fraud.sql

CREATE STREAM Payments (
  ts     TIMESTAMP,
  cid    INTEGER,         -- customer
  amount DOUBLE,
  region VARCHAR,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  connector = 'file',
  path      = 'examples/fraud/payments.csv',
  format    = 'csv',
  header    = true
);

SELECT DISTINCT W.cid
FROM Payments [RANGE 300 SECONDS] AS W, Payments [PARTITION BY cid ROWS 1] AS L
WHERE W.cid = L.cid AND W.region <> L.region;
