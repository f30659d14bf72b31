-- Latency, launch share, busy share and idle share for each value of one tag.
-- parameter tag: key of a tag, such as checkpoint or power_mode
-- Shares are ratios of sums over all windows; an analysis without the table in question is left out of its share.
SELECT
  t.value AS tag_value,
  r.window_spec AS window_spec,
  COUNT(*) AS analyses,
  SUM(r.windows) AS windows,
  CAST(SUM(r.total_ns) AS DOUBLE) / NULLIF(SUM(r.windows), 0) AS mean_ns,
  CAST(SUM(r.launch_ns) AS DOUBLE) / NULLIF(SUM(r.api_ns), 0) AS launch_share,
  CAST(SUM(r.busy_ns) AS DOUBLE) / NULLIF(SUM(CASE WHEN r.busy_ns IS NOT NULL THEN r.total_ns END), 0) AS busy_share,
  CAST(SUM(r.idle_ns) AS DOUBLE) / NULLIF(SUM(CASE WHEN r.idle_ns IS NOT NULL THEN r.total_ns END), 0) AS idle_share,
  CAST(SUM(r.kernel_ns) AS DOUBLE) / NULLIF(SUM(CASE WHEN r.kernel_ns IS NOT NULL THEN r.windows END), 0) AS kernel_mean_ns
FROM runs r
JOIN tags t ON t.run_id = r.run_id
JOIN parameters p ON p.tag = t.tag
WHERE r.status = 'ok'
GROUP BY t.value, r.window_spec
ORDER BY tag_value, window_spec
