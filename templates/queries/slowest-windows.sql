-- The fifty longest windows of all traces, and what filled them.
SELECT
  r.input_path AS input_path,
  w.window_index AS window_index,
  w.label AS label,
  w.length_ns AS length_ns,
  w.api_ns AS api_ns,
  w.launch_ns AS launch_ns,
  w.busy_ns AS busy_ns,
  w.idle_ns AS idle_ns,
  r.captured_utc AS captured_utc,
  w.run_id AS run_id
FROM (
  SELECT run_id, window_index, label, length_ns, api_ns, launch_ns, busy_ns, idle_ns
  FROM windows
  ORDER BY length_ns DESC, run_id, window_index
  LIMIT 50
) w
JOIN runs r ON r.run_id = w.run_id
ORDER BY length_ns DESC, run_id, window_index
