-- Steps in which the ranks of one job took different times: the spread, and the rank that was last.
-- parameter job_tag = job: key of the tag that the ranks of a job share
-- parameter rank_tag = rank: key of the tag that numbers them
-- A step is a window's number; ranks are compared by length, which needs no common clock. The hundred worst steps.
WITH ranks AS (
  SELECT j.run_id AS run_id, j.value AS job, k.value AS rank_value, r.window_spec AS window_spec
  FROM tags j
  JOIN tags k ON k.run_id = j.run_id
  JOIN parameters p ON p.job_tag = j.tag AND p.rank_tag = k.tag
  JOIN runs r ON r.run_id = j.run_id
),
steps AS (
  SELECT a.job AS job, a.window_spec AS window_spec, w.window_index AS step, COUNT(*) AS ranks,
         MIN(w.length_ns) AS shortest_ns, MAX(w.length_ns) AS longest_ns,
         MAX(w.length_ns) - CAST(SUM(w.length_ns) AS DOUBLE) / COUNT(*) AS lost_ns
  FROM windows w
  JOIN ranks a ON a.run_id = w.run_id
  GROUP BY a.job, a.window_spec, w.window_index
),
worst AS (
  SELECT job, window_spec, step, ranks, shortest_ns, longest_ns, lost_ns
  FROM steps
  WHERE ranks > 1
  ORDER BY lost_ns DESC, job, window_spec, step
  LIMIT 100
)
SELECT
  s.job AS job,
  s.window_spec AS window_spec,
  s.step AS step,
  s.ranks AS ranks,
  MIN(a.rank_value) AS slowest_rank,
  s.shortest_ns AS shortest_ns,
  s.longest_ns AS longest_ns,
  s.lost_ns AS lost_ns
FROM worst s
JOIN ranks a ON a.job = s.job AND a.window_spec = s.window_spec
JOIN windows w ON w.run_id = a.run_id AND w.window_index = s.step AND w.length_ns = s.longest_ns
GROUP BY s.job, s.window_spec, s.step, s.ranks, s.shortest_ns, s.longest_ns, s.lost_ns
ORDER BY lost_ns DESC, job, window_spec, step
