-- Why the GPU was idle, per window, for each value of one tag: which commit made the idle grow.
-- parameter tag: key of a tag, such as commit
-- Means are over all windows of analyses with GPU tables, also those without the cause.
WITH tagged AS (
  SELECT r.run_id AS run_id, r.window_spec AS window_spec, t.value AS tag_value, r.windows AS windows, r.total_ns AS total_ns
  FROM runs r
  JOIN tags t ON t.run_id = r.run_id
  JOIN parameters p ON p.tag = t.tag
  WHERE r.status = 'ok' AND r.idle_ns IS NOT NULL
),
wall AS (
  SELECT tag_value, window_spec, SUM(windows) AS windows, SUM(total_ns) AS total_ns
  FROM tagged
  GROUP BY tag_value, window_spec
),
by_run AS (
  SELECT run_id, cause, SUM(idle_ns) AS idle_ns
  FROM idle
  GROUP BY run_id, cause
),
by_cause AS (
  SELECT g.tag_value AS tag_value, g.window_spec AS window_spec, i.cause AS cause, SUM(i.idle_ns) AS idle_ns
  FROM by_run i
  JOIN tagged g ON g.run_id = i.run_id
  GROUP BY g.tag_value, g.window_spec, i.cause
)
SELECT
  c.tag_value AS tag_value,
  c.window_spec AS window_spec,
  c.cause AS cause,
  w.windows AS windows,
  CAST(c.idle_ns AS DOUBLE) / NULLIF(w.windows, 0) AS idle_mean_ns,
  CAST(c.idle_ns AS DOUBLE) / NULLIF(w.total_ns, 0) AS wall_share
FROM by_cause c
JOIN wall w ON w.tag_value = c.tag_value AND w.window_spec = c.window_spec
ORDER BY tag_value, window_spec, cause
