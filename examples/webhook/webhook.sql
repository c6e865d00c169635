-- Which pages are read now? A web site posts its page views, browsers watch the counts.
-- README.md beside this file shows it.
--
--     go run ./cmd/millrace run --set port=8080 examples/webhook/webhook.sql

CREATE STREAM views (
  at      TIMESTAMP,
  page    VARCHAR,
  visitor VARCHAR,
  WATERMARK FOR at AS at - INTERVAL '5' SECOND
) WITH (connector = 'http', mode = 'listen', url = 'http://127.0.0.1:${port}/views');

CREATE STREAM live (until TIMESTAMP, page VARCHAR, views BIGINT, visitors BIGINT)
WITH (connector = 'http', mode = 'listen', url = 'http://127.0.0.1:${port}/live');

INSERT INTO live
SELECT TUMBLE_END(at, INTERVAL '1' MINUTE) AS until, page, COUNT(*) AS views, COUNT(DISTINCT visitor) AS visitors
FROM views
GROUP BY TUMBLE(at, INTERVAL '1' MINUTE), page;
