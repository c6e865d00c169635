-- Cluster monitoring: processor time asked for per category, over the last minute, every second.
-- rows: cluster_events 8192  lap: 270s  row: 64  touched: 16  check: 60000
CREATE STREAM cluster_events (
  ts TIMESTAMP, job BIGINT, task BIGINT, machine BIGINT, event_type INT, user_id INT, category INT, priority INT,
  cpu REAL, ram REAL, disk REAL, constraints INT, WATERMARK FOR ts AS ts
) WITH (${source});

SELECT window_end, category, SUM(cpu) AS total_cpu
FROM cluster_events [RANGE 60 SECONDS SLIDE 1 SECOND]
GROUP BY category;
