-- Yahoo streaming benchmark: views per campaign in tumbling windows. Identifiers are numbers; event type 0 is a view.
-- rows: ad_events 131072  lap: 131072ms  row: 128  touched: 20  check: 400000
CREATE STREAM ad_events (
  ts TIMESTAMP, user_id BIGINT, page_id BIGINT, ad_id BIGINT, ad_type INT, event_type INT, WATERMARK FOR ts AS ts
) WITH (${source});
CREATE TABLE ads (ad_id BIGINT, campaign_id BIGINT) WITH (connector = 'file', path = '${folder}/ads.csv', format = 'csv');

SELECT window_end, campaign_id, COUNT(*) AS views, MAX(ts) AS last_view
FROM ad_events [RANGE 100 SECONDS SLIDE 100 SECONDS]
JOIN ads ON ad_events.ad_id = ads.ad_id
WHERE event_type = 0
GROUP BY campaign_id;
