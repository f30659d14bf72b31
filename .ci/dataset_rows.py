#!/usr/bin/env python3
"""The shipped queries over many generated tidy rows: seconds and memory, beside DuckDB, in one run.

    dataset_rows.py --rows 100000000 --program nsys-attrib FOLDER
    dataset_rows.py --rows 100000000 --program nsys-attrib --engine python FOLDER    polars of PyPI instead of the program

The dataset is synthetic: DuckDB writes it in the layout of docs/dataset.md, and `dataset check` must find nothing wrong with it.
Each query runs in a process of its own, in turns, three times; the median of the seconds and the highest memory count.
Exit 1 when an answer differs, or when a query needs more than 2 GB.
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "templates/cluster"))
from queries_elsewhere import QUERIES, TABLES, parameters_of, same_cell  # noqa: E402

LIMIT = 2_000_000_000
RUNS_PER_FILE = 100
# Rows for each window.
EACH = {"windows": 1, "api": 8, "kernels": 30, "busy": 6, "idle": 5}
GIVEN = {"tag": "commit", "before_value": "c1", "after_value": "c2", "job_tag": "job", "rank_tag": "rank"}

# A number that looks drawn and is the same everywhere.
DRAWN = "(hash(r, w, k) % 100000)"
SELECT = {
    "windows": """SELECT id(r) AS run_id, w AS window_index, 'latency' AS label, 77::BIGINT AS process, 77::BIGINT AS thread,
        w * 60000000 AS start_ns, 1764000000000000000 + r * 1000000000000 + w * 60000000 AS start_unix_ns,
        40000000 + {drawn} * 100 AS length_ns, 480::BIGINT AS calls, 18000000 + {drawn} AS api_ns, 450::BIGINT AS launches,
        15000000 + {drawn} AS launch_ns, 450::BIGINT AS kernels, 5000000 + {drawn} AS kernel_ns, 5000000 + {drawn} AS busy_ns,
        35000000 + {drawn} * 99 AS idle_ns""",
    "api": """SELECT id(r) AS run_id, w AS window_index, 'cudaFunctionNumber' || k AS name, k = 0 AS launches,
        10 + {drawn} % 50 AS calls, 100000 + {drawn} AS time_ns, 90000 + {drawn} AS self_ns""",
    "kernels": """SELECT id(r) AS run_id, w AS window_index,
        'void synthetic::kernel_number_' || k || '<float, (int)512, (int)6, (int)5, (int)3>(int, float *, const float *)' AS name,
        'family' || (k % 5) || '/kind' || (k % 10) AS class, 1 + {drawn} % 20 AS count, 1000 + {drawn} AS time_ns""",
    "busy": """SELECT id(r) AS run_id, w AS window_index, 'family' || k || '/kind' || k AS class, 500000 + {drawn} AS busy_ns""",
    "idle": """SELECT id(r) AS run_id, w AS window_index, ['head', 'tail', 'launch', 'host', 'queue'][k + 1] AS cause,
        5000000 + {drawn} AS idle_ns, CASE WHEN k = 3 THEN {drawn} END AS dispatch_ns""",
}


def columns_of(dataset, table):
    """Names and types from the file without rows that every table has."""
    file = f"{dataset}/{table}/month=none/empty.parquet"
    import duckdb

    rows = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{file}', hive_partitioning = false)").fetchall()
    return [(row[0], row[1]) for row in rows]


def runs_select(dataset, windows):
    """The rows of `runs`: what the queries ask for, the rest NULL."""
    known = {
        "run_id": "id(r)", "input_id": "id(r)", "status": "'ok'", "input_path": "'run-' || r || '.sqlite'",
        "input_kind": "'trace'", "input_sha256": "'synthetic'", "options": "'{}'", "tool_version": "'synthetic'",
        "window_spec": "'latency'", "rule": "'launched'", "trace_sha256": "'synthetic' || r",
        "captured_unix_ns": "1764000000000000000 + r * 86400000000000 // 20",
        "captured_utc": "strftime(make_timestamp((1764000000000000000 + r * 86400000000000 // 20) // 1000), '%Y-%m-%dT%H:%M:%SZ')",
        "windows": f"{windows}", "total_ns": f"{windows * 45000000}", "min_ns": "40000000", "max_ns": "50000000",
        "api_ns": f"{windows * 18000000}", "launch_ns": f"{windows * 15000000}", "kernel_ns": f"{windows * 5000000}",
        "busy_ns": f"{windows * 5000000}", "idle_ns": f"{windows * 40000000}", "findings": "0",
    }
    cells = [f"CAST({known.get(name, 'NULL')} AS {kind}) AS {name}" for name, kind in columns_of(dataset, "runs")]
    return "SELECT " + ", ".join(cells)


def generate(program, dataset, rows):
    """Writes the dataset, as if it had been compacted: a commit for each hundred runs."""
    import duckdb

    subprocess.run([program, "dataset", "add", dataset, "--list", "/dev/null"], check=True, stdout=subprocess.DEVNULL)
    windows = 1000
    runs = max(RUNS_PER_FILE, rows // (sum(EACH.values()) * windows))
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '4GB'; SET preserve_insertion_order = false")
    connection.execute("CREATE MACRO id(r) AS printf('%024d-0', r)")
    for first in range(0, runs, RUNS_PER_FILE):
        files = []
        name, last = f"c-synthetic-{first:08}", min(runs, first + RUNS_PER_FILE)
        source = f"(SELECT range AS r, 0 AS w, 0 AS k FROM range({first}, {last}))"
        sources = {"runs": f"{runs_select(dataset, windows)} FROM {source}"}
        sources["tags"] = (
            "SELECT id(r) AS run_id, t.tag AS tag, CASE t.tag WHEN 'commit' THEN 'c' || (r % 10) WHEN 'job' THEN 'j' || (r // 8) "
            f"ELSE 'r' || (r % 8) END AS value FROM {source}, (VALUES ('commit'), ('job'), ('rank')) t(tag)"
        )
        for table, each in EACH.items():
            grid = f"range({first}, {last}) a(r), range({windows}) b(w), range({each}) c(k)"
            sources[table] = f"{SELECT[table].format(drawn=DRAWN)} FROM (SELECT r, w, k FROM {grid})"
        for table, text in sources.items():
            path = f"{table}/month=2025-11/{name}.parquet"
            os.makedirs(f"{dataset}/{table}/month=2025-11", exist_ok=True)
            cells = ", ".join(f"CAST({column} AS {kind}) AS {column}" for column, kind in columns_of(dataset, table))
            connection.execute(
                f"COPY (SELECT {cells} FROM ({text})) TO '{dataset}/{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 245760)"
            )
            content = pathlib.Path(f"{dataset}/{path}")
            count = connection.execute(f"SELECT count(*) FROM read_parquet('{content}')").fetchone()[0]
            digest = hashlib.file_digest(content.open("rb"), "sha256").hexdigest()
            files.append({"path": path, "table": table, "rows": count, "bytes": content.stat().st_size, "sha256": digest})
        inputs = [{"input_id": f"{run:024}", "status": "ok", "tags": []} for run in range(first, last)]
        commit = {"schema": "nsys-attrib/dataset-commit/1", "id": name, "inputs": inputs, "replaces": [], "files": files}
        pathlib.Path(f"{dataset}/_commits").mkdir(exist_ok=True)
        pathlib.Path(f"{dataset}/_commits/{name}.json").write_text(json.dumps(commit))


DUCKDB = """
import sys, json
sys.path.insert(0, {templates!r})
import argparse, queries_elsewhere as q
engine = q.DuckDb({dataset!r}, argparse.Namespace(memory='2GB', threads=2))
rows = engine.run(open({text!r}).read(), {values!r})
json.dump(rows, open({out!r}, 'w'), default=float)
"""
POLARS = """
import sys, json
import polars as pl
context = pl.SQLContext()
for table in {tables!r}:
    context.register(table, pl.scan_parquet({dataset!r} + '/' + table, hive_partitioning=True, hive_schema={{'month': pl.String}}))
if {values!r}:
    context.register('parameters', pl.DataFrame({{k: [v] for k, v in {values!r}.items()}}))
rows = context.execute(open({text!r}).read(), eager=False).collect(engine='streaming').rows()
json.dump(rows, open({out!r}, 'w'))
"""


def measured(command, out):
    """Wall seconds, CPU seconds and peak bytes of a process."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "2"}
    start = time.monotonic()
    child = os.posix_spawnp(command[0], command, environment, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)])
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"{command[:4]}: exit {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def commands(arguments, dataset, path, values, folder):
    """What each engine is asked, and where its answer goes."""
    fill = {"dataset": dataset, "text": str(path), "values": values, "tables": TABLES, "templates": str(ROOT / "templates/cluster")}
    duck = f"{folder}/duckdb.json"
    ours = f"{folder}/polars.json"
    if arguments.engine == "python":
        polars = ([sys.executable, "-c", POLARS.format(out=ours, **fill)], f"{folder}/polars.out", ours)
    else:
        words = [arguments.program, "dataset", "query", dataset, "--named", path.stem, "--format", "json"]
        words += [word for item in values.items() for word in ("--set", "=".join(item))]
        polars = (words, ours, ours)
    return {"polars": polars, "duckdb": ([sys.executable, "-c", DUCKDB.format(out=duck, **fill)], f"{folder}/duckdb.out", duck)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="an empty folder with room for some GB")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--engine", choices=["program", "python"], default="program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-generate", action="store_true")
    arguments = parser.parse_args()
    dataset = f"{arguments.folder}/dataset"
    if not pathlib.Path(dataset).exists():
        start = time.monotonic()
        if arguments.only_generate:
            return generate(arguments.program, dataset, arguments.rows)
        # In a process of its own: what a process needed is passed on to those that it starts, as their peak.
        subprocess.run([sys.executable, *sys.argv, "--only-generate"], check=True)
        print(f"generated in {time.monotonic() - start:.0f} s")
    check = [arguments.program, "dataset", "check", dataset, "--format", "json"]
    about = json.loads(subprocess.run(check, check=True, capture_output=True).stdout)
    print(f"{sum(about['rows'].values())} rows in {about['files']} files, {about['bytes'] / 1e9:.2f} GB; the check finds nothing wrong")
    versions = [f"DuckDB {importlib.metadata.version('duckdb')}"]
    if arguments.engine == "python":
        versions.append(f"polars {importlib.metadata.version('polars')} of PyPI")
    else:
        versions.append(subprocess.run([arguments.program, "--version"], capture_output=True, text=True).stdout.strip())
    print(", ".join(versions), f"; median of {arguments.rounds}, in turns, 2 threads each", flush=True)
    print(f"{'query':18} {'polars s':>9} {'CPU s':>7} {'peak MB':>8} {'DuckDB s':>9} {'CPU s':>7} {'peak MB':>8} {'ratio':>6}")
    wrong = 0
    for path in sorted(QUERIES.glob("*.sql")):
        values = {name: GIVEN.get(name, default) for name, default in parameters_of(path.read_text()).items()}
        each = commands(arguments, dataset, path, values, arguments.folder)
        runs = {name: [] for name in each}
        for _ in range(arguments.rounds):
            for name, (command, out, _) in each.items():
                runs[name].append(measured(command, out))
        answers = {name: json.loads(pathlib.Path(answer).read_text()) for name, (_, _, answer) in each.items()}
        ours = answers["polars"]["rows"] if isinstance(answers["polars"], dict) else answers["polars"]
        theirs = answers["duckdb"]
        same = len(ours) == len(theirs) and all(
            len(a) == len(b) and all(map(same_cell, a, b)) for a, b in zip(ours, theirs))
        wall = {name: statistics.median(run[0] for run in runs[name]) for name in runs}
        cpu = {name: statistics.median(run[1] for run in runs[name]) for name in runs}
        peak = {name: max(run[2] for run in runs[name]) for name in runs}
        wrong += not same or peak["polars"] > LIMIT
        print(f"{path.stem:18} {wall['polars']:9.2f} {cpu['polars']:7.2f} {peak['polars'] / 1e6:8.0f} {wall['duckdb']:9.2f} "
              f"{cpu['duckdb']:7.2f} {peak['duckdb'] / 1e6:8.0f} {wall['polars'] / wall['duckdb']:6.2f}"
              f"{'' if same else '   ANSWERS DIFFER'}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
