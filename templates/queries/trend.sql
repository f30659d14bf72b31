-- Day by day: latency, launch share, busy share, and how many inputs could not be analysed.
-- Days are those on which the traces were captured, in UTC; a trace that does not say when stands under 'unknown'.
WITH dated AS (
  SELECT COALESCE(SUBSTR(captured_utc, 1, 10), 'unknown') AS day, COALESCE(window_spec, '') AS window_spec,
         status, windows, total_ns, min_ns, max_ns, api_ns, launch_ns, busy_ns
  FROM runs
)
SELECT
  day,
  window_spec,
  SUM(CASE WHEN status = 'ok' THEN 1 ELSE 0 END) AS analyses,
  SUM(CASE WHEN status = 'ok' THEN 0 ELSE 1 END) AS failed,
  SUM(windows) AS windows,
  CAST(SUM(total_ns) AS DOUBLE) / NULLIF(SUM(windows), 0) AS mean_ns,
  MIN(min_ns) AS shortest_ns,
  MAX(max_ns) AS longest_ns,
  CAST(SUM(launch_ns) AS DOUBLE) / NULLIF(SUM(api_ns), 0) AS launch_share,
  CAST(SUM(busy_ns) AS DOUBLE) / NULLIF(SUM(CASE WHEN busy_ns IS NOT NULL THEN total_ns END), 0) AS busy_share
FROM dated
GROUP BY day, window_spec
ORDER BY day, window_spec
