-- Auctions: the auctions with most bids over a minute, every second (LightSaber's form of Nexmark's query 5).
-- rows: bids 8192  lap: 8192ms  row: 128  touched: 16  check: 60000
CREATE STREAM bids (ts TIMESTAMP, auction BIGINT, WATERMARK FOR ts AS ts) WITH (${source});

WITH counts AS (
  SELECT window_end, auction, COUNT(*) AS bids FROM bids [RANGE 60 SECONDS SLIDE 1 SECOND] GROUP BY auction
), most AS (
  SELECT window_end, MAX(bids) AS bids FROM counts GROUP BY window_end
)
SELECT counts.window_end, counts.auction, counts.bids
FROM counts JOIN most ON counts.window_end = most.window_end AND counts.bids = most.bids;
