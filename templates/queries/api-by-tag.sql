-- CUDA API time by function, per window, for each value of one tag.
-- parameter tag: key of a tag, such as commit
WITH tagged AS (
  SELECT r.run_id AS run_id, r.window_spec AS window_spec, t.value AS tag_value, r.windows AS windows, r.api_ns AS api_ns
  FROM runs r
  JOIN tags t ON t.run_id = r.run_id
  JOIN parameters p ON p.tag = t.tag
  WHERE r.status = 'ok' AND r.api_ns IS NOT NULL
),
wall AS (
  SELECT tag_value, window_spec, SUM(windows) AS windows, SUM(api_ns) AS api_ns
  FROM tagged
  GROUP BY tag_value, window_spec
),
by_run AS (
  SELECT run_id, name, SUM(calls) AS calls, SUM(time_ns) AS time_ns
  FROM api
  GROUP BY run_id, name
),
by_name AS (
  SELECT g.tag_value AS tag_value, g.window_spec AS window_spec, a.name AS name, SUM(a.calls) AS calls, SUM(a.time_ns) AS time_ns
  FROM by_run a
  JOIN tagged g ON g.run_id = a.run_id
  GROUP BY g.tag_value, g.window_spec, a.name
)
SELECT
  n.tag_value AS tag_value,
  n.window_spec AS window_spec,
  n.name AS name,
  n.calls AS calls,
  CAST(n.time_ns AS DOUBLE) / NULLIF(w.windows, 0) AS time_mean_ns,
  CAST(n.time_ns AS DOUBLE) / NULLIF(w.api_ns, 0) AS api_share
FROM by_name n
JOIN wall w ON w.tag_value = n.tag_value AND w.window_spec = n.window_spec
ORDER BY tag_value, window_spec, time_mean_ns DESC, name
