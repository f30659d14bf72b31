-- Kernel time by class, per window, for each value of one tag.
-- parameter tag: key of a tag, such as model
WITH tagged AS (
  SELECT r.run_id AS run_id, r.window_spec AS window_spec, t.value AS tag_value, r.windows AS windows, r.kernel_ns AS kernel_ns
  FROM runs r
  JOIN tags t ON t.run_id = r.run_id
  JOIN parameters p ON p.tag = t.tag
  WHERE r.status = 'ok' AND r.kernel_ns IS NOT NULL
),
wall AS (
  SELECT tag_value, window_spec, SUM(windows) AS windows, SUM(kernel_ns) AS kernel_ns
  FROM tagged
  GROUP BY tag_value, window_spec
),
by_run AS (
  SELECT run_id, class, SUM(count) AS kernels, SUM(time_ns) AS time_ns
  FROM kernels
  GROUP BY run_id, class
),
by_class AS (
  SELECT g.tag_value AS tag_value, g.window_spec AS window_spec, k.class AS class, SUM(k.kernels) AS kernels, SUM(k.time_ns) AS time_ns
  FROM by_run k
  JOIN tagged g ON g.run_id = k.run_id
  GROUP BY g.tag_value, g.window_spec, k.class
)
SELECT
  c.tag_value AS tag_value,
  c.window_spec AS window_spec,
  c.class AS class,
  c.kernels AS kernels,
  CAST(c.time_ns AS DOUBLE) / NULLIF(w.windows, 0) AS time_mean_ns,
  CAST(c.time_ns AS DOUBLE) / NULLIF(w.kernel_ns, 0) AS kernel_share
FROM by_class c
JOIN wall w ON w.tag_value = c.tag_value AND w.window_spec = c.window_spec
ORDER BY tag_value, window_spec, time_mean_ns DESC, class
