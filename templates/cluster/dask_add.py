#!/usr/bin/env python3
"""Adds traces to a dataset on a Dask cluster: one trace, one task.

    pip install "dask[distributed]"
    dask scheduler &                        # on one node
    dask worker tcp://NODE:8786 &           # on each node, as many as there are
    python dask_add.py tcp://NODE:8786 nightly --list traces.txt -- --window latency --tag commit=abc

A worker that dies takes its tasks with it; Dask gives them to another one. That is safe: an input is in whole or not at
all, and once. Needs `nsys-attrib` on the workers (or --program) and a file system that all of them see.
"""

import argparse
import pathlib
import subprocess
import sys

from dask.distributed import Client, as_completed


def add(program, dataset, trace, words):
    """One task. Exit code 1 means that the trace is recorded as failed; only 2 is a failure of the task."""
    command = [program, "dataset", "add", dataset, trace, "--jobs", "1", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    return trace, done.returncode, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scheduler", help="its address, tcp://NODE:8786")
    parser.add_argument("dataset")
    parser.add_argument("--list", required=True, help="a file with one trace a line")
    parser.add_argument("--program", default="nsys-attrib")
    # What follows -- is for `dataset add`; argparse itself would take it for the list of traces.
    typed = sys.argv[1:]
    at = typed.index("--") if "--" in typed else len(typed)
    arguments, words = parser.parse_args(typed[:at]), typed[at + 1 :]

    traces = [line for line in pathlib.Path(arguments.list).read_text().splitlines() if line.strip()]
    client = Client(arguments.scheduler)
    # Not pure: a result that Dask remembers from an earlier call says nothing of today's dataset.
    tasks = [
        client.submit(add, arguments.program, arguments.dataset, trace, words, pure=False, retries=3)
        for trace in traces
    ]
    added, recorded, wrong = 0, 0, 0
    for task in as_completed(tasks):
        trace, code, said = task.result()
        added += code == 0
        recorded += code == 1
        if code not in (0, 1):
            wrong += 1
            print(f"{trace}: exit {code}: {said.strip()}", file=sys.stderr)
    print(f"{added} in, {recorded} recorded as failed, {wrong} could not be added")
    sys.exit(2 if wrong else 1 if recorded else 0)


if __name__ == "__main__":
    main()
