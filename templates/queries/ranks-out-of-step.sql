-- Steps in which the ranks of one job took different times: the spread, and the rank that was last.
-- parameter job_tag = job: key of the tag that the ranks of a job share
-- parameter rank_tag = rank: key of the tag that numbers them
-- A step is a window's number; ranks are compared by length, which needs no common clock.
WITH ranked AS (
  SELECT j.value AS job, k.value AS rank_value, w.window_index AS step, r.window_spec AS window_spec, w.length_ns AS length_ns
  FROM windows w
  JOIN runs r ON r.run_id = w.run_id
  JOIN tags j ON j.run_id = w.run_id
  JOIN tags k ON k.run_id = w.run_id
  JOIN parameters p ON p.job_tag = j.tag AND p.rank_tag = k.tag
),
steps AS (
  SELECT job, window_spec, step, COUNT(*) AS ranks, MIN(length_ns) AS shortest_ns, MAX(length_ns) AS longest_ns,
         CAST(SUM(length_ns) AS DOUBLE) / COUNT(*) AS mean_ns
  FROM ranked
  GROUP BY job, window_spec, step
)
SELECT
  s.job AS job,
  s.window_spec AS window_spec,
  s.step AS step,
  s.ranks AS ranks,
  MIN(k.rank_value) AS slowest_rank,
  s.shortest_ns AS shortest_ns,
  s.longest_ns AS longest_ns,
  s.longest_ns - s.mean_ns AS lost_ns
FROM steps s
JOIN ranked k ON k.job = s.job AND k.window_spec = s.window_spec AND k.step = s.step AND k.length_ns = s.longest_ns
WHERE s.ranks > 1
GROUP BY s.job, s.window_spec, s.step, s.ranks, s.shortest_ns, s.longest_ns, s.mean_ns
ORDER BY lost_ns DESC, job, window_spec, step
LIMIT 100
