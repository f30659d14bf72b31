-- What moved between two values of one tag: busy time by kernel class and idle time by cause, per window.
-- parameter tag: key of a tag, such as commit
-- parameter before_value: its value in the base
-- parameter after_value: its value in what is compared with it
-- The parts of a side add up to its mean latency, so the changes add up to the change of the latency.
WITH sides AS (
  SELECT r.run_id AS run_id, r.window_spec AS window_spec, r.windows AS windows,
         CASE WHEN t.value = p.after_value THEN 1 ELSE 0 END AS is_after
  FROM runs r
  JOIN tags t ON t.run_id = r.run_id
  JOIN parameters p ON p.tag = t.tag
  WHERE r.status = 'ok' AND r.busy_ns IS NOT NULL AND (t.value = p.before_value OR t.value = p.after_value)
),
counts AS (
  SELECT window_spec, SUM(windows * (1 - is_after)) AS windows_before, SUM(windows * is_after) AS windows_after
  FROM sides
  GROUP BY window_spec
),
parts AS (
  SELECT run_id, 'busy' AS part, class AS item, SUM(busy_ns) AS time_ns FROM busy GROUP BY run_id, class
  UNION ALL
  SELECT run_id, 'idle' AS part, cause AS item, SUM(idle_ns) AS time_ns FROM idle GROUP BY run_id, cause
),
sums AS (
  SELECT s.window_spec AS window_spec, q.part AS part, q.item AS item,
         SUM(q.time_ns * (1 - s.is_after)) AS before_ns, SUM(q.time_ns * s.is_after) AS after_ns
  FROM parts q
  JOIN sides s ON s.run_id = q.run_id
  GROUP BY s.window_spec, q.part, q.item
)
SELECT
  m.window_spec AS window_spec,
  m.part AS part,
  m.item AS item,
  CAST(m.before_ns AS DOUBLE) / NULLIF(c.windows_before, 0) AS before_mean_ns,
  CAST(m.after_ns AS DOUBLE) / NULLIF(c.windows_after, 0) AS after_mean_ns,
  CAST(m.after_ns AS DOUBLE) / NULLIF(c.windows_after, 0) - CAST(m.before_ns AS DOUBLE) / NULLIF(c.windows_before, 0) AS change_ns
FROM sums m
JOIN counts c ON c.window_spec = m.window_spec
WHERE c.windows_before > 0 AND c.windows_after > 0
ORDER BY window_spec, change_ns DESC, part, item
