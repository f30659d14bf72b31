#!/usr/bin/env python3
"""Runs the shipped queries of nsys-attrib over a dataset on DuckDB or on Spark, text unchanged.

    pip install duckdb            # or: pip install pyspark, and a Java 17
    python queries_elsewhere.py nightly --engine duckdb --query shares-by-tag --set tag=commit
    python queries_elsewhere.py nightly --engine spark --master spark://HOST:7077 --set tag=commit

Without --query every query runs for which --set gives what it asks for. With --check PROGRAM the answers are
held against those of `nsys-attrib dataset query`: integers and texts must be equal, floats to nine digits.
Queries of another engine than nsys-attrib see every file of the folder, so let no `dataset compact` run meanwhile.
"""

import argparse
import json
import math
import pathlib
import re
import subprocess
import sys

QUERIES = pathlib.Path(__file__).resolve().parent.parent / "queries"
TABLES = "windows api kernels busy idle copies energy findings tags documents runs".split()


def parameters_of(text):
    """What a query asks for: name and default, from its first comments."""
    asked = re.findall(r"^-- parameter (\w+)(?: = (\w+))?:", text, re.MULTILINE)
    return {name: default or None for name, default in asked}


class DuckDb:
    """DuckDB in this process."""

    def __init__(self, dataset, arguments):
        import duckdb

        self.connection = duckdb.connect()
        if arguments.memory:
            self.connection.execute(f"SET memory_limit = '{arguments.memory}'")
        if arguments.threads:
            self.connection.execute(f"SET threads = {arguments.threads}")
        for table in TABLES:
            files = f"{dataset}/{table}/*/*.parquet".replace("'", "''")
            self.connection.execute(
                f"CREATE VIEW {table} AS SELECT * FROM "
                f"read_parquet('{files}', hive_partitioning = true, hive_types = {{'month': VARCHAR}})"
            )

    def run(self, text, values):
        if values:
            cells = ", ".join(f"'{value}' AS {name}" for name, value in values.items())
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE parameters AS SELECT {cells}")
        return self.connection.execute(text).fetchall()

    def about(self):
        return "DuckDB " + self.connection.execute("SELECT version()").fetchone()[0]


class Spark:
    """Spark SQL, in this process or on a cluster."""

    def __init__(self, dataset, arguments):
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.appName("nsys-attrib queries")
        if arguments.master:
            builder = builder.master(arguments.master)
        builder = builder.config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
        for setting in arguments.conf:
            builder = builder.config(*setting.split("=", 1))
        self.session = builder.getOrCreate()
        for table in TABLES:
            self.session.read.parquet(f"{dataset}/{table}").createOrReplaceTempView(table)

    def run(self, text, values):
        if values:
            cells = ", ".join(f"'{value}' AS {name}" for name, value in values.items())
            self.session.sql(f"CREATE OR REPLACE TEMP VIEW parameters AS SELECT {cells}")
        return [tuple(row) for row in self.session.sql(text).collect()]

    def about(self):
        # The driver is listed among them.
        others = len(self.session.sparkContext._jsc.sc().statusTracker().getExecutorInfos()) - 1
        return f"Spark {self.session.version} on {others} executors" if others else f"Spark {self.session.version}, local"


def same_cell(ours, theirs):
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if isinstance(ours, float) or isinstance(theirs, float):
        return math.isclose(float(ours), float(theirs), rel_tol=1e-9, abs_tol=1e-6)
    return ours == theirs


def answers_of(program, dataset, name, values):
    command = [program, "dataset", "query", dataset, "--named", name, "--format", "json"]
    command += [word for item in values.items() for word in ("--set", "=".join(item))]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["rows"]


def check(program, dataset, name, values, rows):
    """Holds an answer against that of nsys-attrib."""
    expected = answers_of(program, dataset, name, values)
    if len(expected) != len(rows):
        return f"{len(expected)} rows in nsys-attrib, {len(rows)} here"
    for number, (ours, theirs) in enumerate(zip(expected, rows)):
        if len(ours) != len(theirs) or not all(map(same_cell, ours, theirs)):
            return f"row {number}: {ours} in nsys-attrib, {list(theirs)} here"
    return None


def check_pandas(program, dataset):
    """pandas reads the tables without knowing what made them."""
    import pandas

    for table in TABLES:
        frame = pandas.read_parquet(f"{dataset}/{table}")
        text = f"select count(*) as n from {table}"
        command = [program, "dataset", "query", dataset, text, "--format", "json"]
        count = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["rows"][0][0]
        if len(frame) != count:
            return f"{table}: {count} rows in nsys-attrib, {len(frame)} here"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", help="its folder; for a cluster, where every worker sees it")
    parser.add_argument("--engine", choices=["duckdb", "spark"], required=True)
    parser.add_argument("--query", action="append", default=[], help="a shipped query; may be given several times")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--master", help="of Spark; without it, this process")
    parser.add_argument("--conf", action="append", default=[], metavar="KEY=VALUE", help="a setting of Spark")
    parser.add_argument("--memory", help="limit of DuckDB, such as 2GB")
    parser.add_argument("--threads", type=int, help="of DuckDB")
    parser.add_argument("--check", metavar="PROGRAM", help="nsys-attrib, whose answers must be the same")
    parser.add_argument("--pandas", action="store_true", help="with --check: also count the rows with pandas")
    arguments = parser.parse_args()

    given = dict(item.split("=", 1) for item in arguments.set)
    engine = {"duckdb": DuckDb, "spark": Spark}[arguments.engine](arguments.dataset, arguments)
    wrong = 0
    for path in sorted(QUERIES.glob("*.sql")):
        if arguments.query and path.stem not in arguments.query:
            continue
        text = path.read_text()
        values = {name: given.get(name, default) for name, default in parameters_of(text).items()}
        missing = [name for name, value in values.items() if value is None]
        if missing:
            print(f"{path.stem}: not run, needs --set {' and '.join(missing)}")
            continue
        rows = engine.run(text, values)
        if not arguments.check:
            print(f"== {path.stem}")
            for row in rows:
                print("\t".join("" if cell is None else str(cell) for cell in row))
            continue
        problem = check(arguments.check, arguments.dataset, path.stem, values, rows)
        wrong += problem is not None
        print(f"{path.stem}: {problem or f'{len(rows)} rows, the same'}")
    if arguments.check and arguments.pandas:
        problem = check_pandas(arguments.check, arguments.dataset)
        wrong += problem is not None
        print(f"pandas: {problem or 'every table has as many rows, the same'}")
    print(engine.about(), file=sys.stdout if arguments.check else sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
