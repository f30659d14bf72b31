#!/usr/bin/env python3
"""nsys-attrib beside the tools that people use, on one trace, interleaved.

  benches/compare.py [--requests 10000 | --trace FILE] [--also FILE] [--runs 5] [--slow] [--large]

Makes a trace with the project's own generator (examples/scale_trace.rs), runs every tool that is
there in turn, round after round, and writes reports/benchmarks.md (--out): medians as ratios to nsys-attrib,
with versions and the machine. Absolute times are not claims; ratios in one run are.

  nsys-attrib   analyze --window latency --format json: the whole analysis and its document
  sqlite3       a bare aggregate over calls and kernels: no windows, nothing joined
  duckdb        kernels joined to their launches, launches to windows by ASOF join; kernel time by name
  polars        the same through data frames, read by the sqlite3 module
  nsys          nsys stats, report nvtxkernsum (--slow: once, it takes a minute)

duckdb and polars are taken from the Python that runs this script
(duckdb==1.5.5 duckdb-extension-sqlite-scanner==1.5.5 polars); what is missing is left out and named.
"""
import argparse, importlib.util, json, os, pathlib, shutil, sqlite3, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BARE = """
select nameId,count(*),sum(end-start),min(end-start),max(end-start) from CUPTI_ACTIVITY_KIND_RUNTIME group by 1;
select demangledName,count(*),sum(end-start),min(end-start),max(end-start) from CUPTI_ACTIVITY_KIND_KERNEL group by 1;
"""
DUCKDB = """
import pathlib, sys, duckdb
trace, extension = sys.argv[1:]
db = duckdb.connect()
db.execute("SET enable_progress_bar = false")
db.execute(f"LOAD '{extension}'")
db.execute(f"ATTACH '{trace}' AS t (TYPE sqlite, READ_ONLY)")
ids = [row[0] for row in db.execute("SELECT id FROM t.StringIds WHERE value = 'latency'").fetchall()]
rows = db.execute(f'''
  WITH w AS (SELECT start, "end" FROM t.NVTX_EVENTS WHERE (text = 'latency' OR textId = {ids[0] if ids else -1}) AND eventType = 59),
       l AS (SELECT r.start, k."end" - k.start AS ns, k.demangledName AS name
             FROM t.CUPTI_ACTIVITY_KIND_RUNTIME r JOIN t.CUPTI_ACTIVITY_KIND_KERNEL k
             ON r.correlationId = k.correlationId AND (r.globalTid & ~16777215) = k.globalPid)
  SELECT name, count(*), sum(ns) FROM l ASOF JOIN w ON l.start >= w.start
  WHERE l.start < w."end" GROUP BY 1''').fetchall()
print(sum(r[1] for r in rows), sum(r[2] for r in rows))
"""
POLARS = """
import sqlite3, sys, polars as pl
db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
read = lambda sql: pl.read_database(sql, db)
w = read("SELECT start AS opened, end AS closed FROM NVTX_EVENTS WHERE (text = 'latency' OR textId = (SELECT id FROM StringIds WHERE value = 'latency')) AND eventType = 59").sort("opened")
r = read("SELECT start, correlationId FROM CUPTI_ACTIVITY_KIND_RUNTIME")
k = read("SELECT correlationId, end - start AS ns, demangledName FROM CUPTI_ACTIVITY_KIND_KERNEL")
l = r.join(k, on="correlationId").sort("start").join_asof(w, left_on="start", right_on="opened")
t = l.filter(pl.col("start") < pl.col("closed")).group_by("demangledName").agg(pl.len(), pl.col("ns").sum())
print(t["len"].sum(), t["ns"].sum())
"""


def cargo(*words):
    subprocess.run(["cargo", *words], cwd=ROOT, check=True)


def built(*parts):
    out = subprocess.run(["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, check=True, capture_output=True)
    return str(pathlib.Path(json.loads(out.stdout)["target_directory"], "release", *parts))


def output(*words):
    try:
        return subprocess.run(words, capture_output=True, text=True).stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return None


def module(name):
    spec = importlib.util.find_spec(name)
    return spec and pathlib.Path(spec.origin or spec.submodule_search_locations[0]).parent


def scanner():
    """The sqlite scanner of DuckDB as PyPI ships it."""
    if not module("duckdb"):
        return None
    for root in map(pathlib.Path, sys.path):
        for found in sorted(root.glob("duckdb_extension*/**/sqlite_scanner.duckdb_extension")) if root.is_dir() else []:
            return str(found)
    return None


def tools(trace, folder, slow):
    """Name -> (command, version, reads standard output as `count time`)."""
    program = built("nsys-attrib")
    found = {"nsys-attrib": ([program, "analyze", "--window", "latency", "--format", "json", trace], output(program, "--version"))}
    missing = []
    for name, command, version in [
        ("sqlite3, bare aggregate", ["sqlite3", "-readonly", trace, BARE] if shutil.which("sqlite3") else None, output("sqlite3", "--version")),
        ("DuckDB, ASOF join", [sys.executable, "-c", DUCKDB, trace, scanner()] if scanner() else None, output(sys.executable, "-c", "import duckdb; print(duckdb.__version__)")),
        ("polars, join_asof", [sys.executable, "-c", POLARS, trace] if module("polars") else None, output(sys.executable, "-c", "import polars; print(polars.__version__)")),
    ]:
        if command:
            found[name] = (command, version)
        else:
            missing.append(name)
    if slow and shutil.which("nsys"):
        words = ["nsys", "stats", "--report", "nvtxkernsum", "--format", "csv", "--output", f"{folder}/{pathlib.Path(trace).stem}", trace]
        found["nsys stats nvtxkernsum"] = (words, output("nsys", "--version"))
    else:
        missing.append("nsys stats nvtxkernsum")
    return found, missing


def run(command, out):
    start = time.monotonic()
    files = [(os.POSIX_SPAWN_OPEN, fd, f"{out}.{fd}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for fd in (1, 2)]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=files)
    _, status, usage = os.wait4(child, 0)
    took = time.monotonic() - start
    if status:
        sys.exit(f"{command[0]} failed: {pathlib.Path(f'{out}.2').read_text()[-500:]}")
    with open(f"{out}.1", errors="replace") as answer:
        head = answer.read(4_000)
    if not head or "SKIPPED" in head:
        sys.exit(f"{command[0]} answered nothing: {head[-500:]}")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(trace, folder, runs, slow):
    found, missing = tools(trace, folder, slow)
    taken = {name: [] for name in found}
    for round_ in range(runs + 1):
        for name, (command, _) in found.items():
            if "nvtxkernsum" in name and round_ != 1:
                continue
            result = run(command, f"{folder}/{name.split()[0]}")
            # The first round warms the page cache.
            if round_:
                taken[name].append(result)
    return found, missing, taken


def agree(folder):
    """Kernel count and time under rule `launched`, from all tools that join."""
    launched = json.loads(pathlib.Path(folder, "nsys-attrib.1").read_text())["kernels"]["rules"]["launched"]
    ours = (launched["count"], launched["time_ns"])
    for name in ["DuckDB,", "polars,"]:
        path = pathlib.Path(folder, f"{name}.1")
        if path.exists() and tuple(map(int, path.read_text().split())) != ours:
            sys.exit(f"{name} {path.read_text().strip()} but nsys-attrib {ours}")


def number(version):
    """The first word of a version line that begins with a digit."""
    return next((word for word in version.split() if word[0].isdigit()), version)


def median(rows, column):
    return statistics.median(row[column] for row in rows)


def table(found, taken):
    ours = taken["nsys-attrib"]
    wall, cpu = median(ours, 0), median(ours, 1)
    lines = ["| tool | time, as a multiple of nsys-attrib's | range over the runs | CPU time, as a multiple | peak memory | runs |", "|---|---:|---:|---:|---:|---:|"]
    for name, rows in taken.items():
        # Rounds are interleaved, so each is compared with its own round.
        ratios = sorted(row[0] / own[0] for row, own in zip(rows, ours)) if len(rows) == len(ours) else [median(rows, 0) / wall]
        lines.append(f"| {name} | {statistics.median(ratios):.2f} | {ratios[0]:.2f}–{ratios[-1]:.2f} | {median(rows, 1) / cpu:.2f} | {max(row[2] for row in rows):.0f} MiB | {len(rows)} |")
    return lines


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000, help="windows of 200 launches each")
    parser.add_argument("--trace", help="an export with windows named latency, instead of one that is made")
    parser.add_argument("--also", help="another export, measured in the same way afterwards")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow", action="store_true", help="also nsys stats, once")
    parser.add_argument("--large", action="store_true", help="also nsys-attrib alone on a trace of ten times the size")
    parser.add_argument("--out", default=str(ROOT / "reports" / "benchmarks.md"), help="where the report goes")
    parser.add_argument("--note", default="", help="a sentence about the machine for the report")
    args = parser.parse_args()
    cargo("build", "--release", "--quiet", "--bins", "--example", "scale_trace")
    lines = ["# Speed beside other tools", "", "Written by `benches/compare.py`; do not edit.", ""]
    with tempfile.TemporaryDirectory() as folder:
        trace = args.trace or f"{folder}/trace.sqlite"
        made = f"synthetic, `scale_trace` with {args.requests} requests of 200 launches" if not args.trace else f"`{pathlib.Path(trace).name}`"
        if not args.trace:
            subprocess.run([built("examples", "scale_trace"), trace, str(args.requests)], check=True, stdout=subprocess.DEVNULL)
        lines += [f"Machine: {machine()}; load average at the start {os.getloadavg()[0]:.1f}. {args.note}".rstrip(), ""]
        found, missing, taken = section(lines, trace, made, folder, args)
        lines += ["", "Versions: " + "; ".join(f"{name.split(',')[0]} {number(version)}" for name, (_, version) in found.items() if version) + "."]
        if missing:
            lines += ["", "Not measured: " + ", ".join(missing) + "."]
        if args.also:
            lines += ["", "## Another trace", ""]
            section(lines, args.also, f"`{pathlib.Path(args.also).name}`", folder, args)
        if args.large:
            lines += ["", "## Ten times the rows", ""] + large(folder, args, trace)
    report = pathlib.Path(args.out)
    report.parent.mkdir(exist_ok=True)
    report.write_text("\n".join(lines) + "\n")
    print(report.read_text())


def section(lines, trace, made, folder, args):
    """Measures all tools on one trace and writes what they took."""
    found, missing, taken = measure(trace, folder, args.runs, args.slow)
    agree(folder)
    lines += [f"Trace: {made}, {os.path.getsize(trace) / 1e6:.0f} MB: {rows(trace)}. Page cache warm, {args.runs} rounds, the tools in turn; medians.", ""]
    lines += table(found, taken)
    lines += ["", "DuckDB and polars answer kernel count and time by name under rule `launched`, which equal nsys-attrib's; sqlite3 joins nothing."]
    return found, missing, taken


def rows(trace):
    with sqlite3.connect(f"file:{trace}?mode=ro", uri=True) as db:
        count = lambda table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        tables = {"calls": "CUPTI_ACTIVITY_KIND_RUNTIME", "kernels": "CUPTI_ACTIVITY_KIND_KERNEL", "ranges": "NVTX_EVENTS"}
        return ", ".join(f"{count(table):,} {name}" for name, table in tables.items())


def large(folder, args, small):
    trace = f"{folder}/large.sqlite"
    subprocess.run([built("examples", "scale_trace"), trace, str(args.requests * 10)], check=True, stdout=subprocess.DEVNULL)
    words = lambda path: [built("nsys-attrib"), "analyze", "--window", "latency", "--format", "json", path]
    rows = []
    for number in range(args.runs + 1):
        pair = run(words(small), f"{folder}/small"), run(words(trace), f"{folder}/large")
        rows += [pair] if number else []
    ratio = lambda column: statistics.median(big[column] / little[column] for little, big in rows)
    peak = lambda place: max(pair[place][2] for pair in rows)
    maker = "`scale_trace`" if args.trace else "The same generator"
    return [f"{maker}, {os.path.getsize(trace) / 1e6:.0f} MB beside {os.path.getsize(small) / 1e6:.0f} MB, interleaved: {ratio(0):.1f} times the time, {ratio(1):.1f} times the CPU time, {peak(1):.0f} MiB beside {peak(0):.0f} MiB."]


if __name__ == "__main__":
    main()
