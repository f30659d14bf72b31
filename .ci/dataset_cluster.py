#!/usr/bin/env python3
"""Real engines as real processes on the loopback interface: Dask adds, Spark asks.

    dataset_cluster.py --program nsys-attrib --traces FOLDER WORK

FOLDER holds traces/ and list.txt. Dask: a scheduler and two workers; one worker is killed (SIGKILL) when a quarter of the inputs
is in; the dataset must have the same bytes as one made in one go. Spark: a master and two workers; every shipped query
must say what `nsys-attrib dataset query` says. Needs dask[distributed], pyspark and a Java 17 or newer; starts nothing outside.
"""

import argparse
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORDS = ["--window", "w", "--tag", "commit=abc"]


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, holds, seconds=120):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def listens(port):
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tree(dataset):
    """Hash of every file but the locks, by path."""
    files = {}
    for path in sorted(pathlib.Path(dataset).rglob("*")):
        name = str(path.relative_to(dataset))
        if path.is_file() and not name.endswith("_lock") and not name.startswith("_staging"):
            files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


class Processes:
    """What was started, so that all of it ends."""

    def __init__(self, logs):
        self.logs, self.started = logs, []

    def start(self, name, command, **more):
        log = open(f"{self.logs}/{name}.log", "w")
        child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, **more)
        self.started.append(child)
        return child

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.started:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def dask_adds(program, traces, work):
    """Two workers, one killed; the dataset must be the one that a single command makes."""
    binaries = pathlib.Path(sys.executable).parent
    listed = f"{traces}/list.txt"
    count = len(pathlib.Path(listed).read_text().split())
    start = time.monotonic()
    subprocess.run([program, "dataset", "add", f"{work}/whole", "--list", listed, *WORDS], stderr=subprocess.DEVNULL)
    print(f"one command: {count} inputs in {time.monotonic() - start:.1f} s")
    port, commits = free_port(), pathlib.Path(f"{work}/by-dask/_commits")
    with Processes(work) as processes:
        dask = str(binaries / "dask")
        processes.start("scheduler", [dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"])
        wait_for("the scheduler of Dask", lambda: listens(port))
        worker = [dask, "worker", f"tcp://127.0.0.1:{port}", "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        workers = [processes.start(f"worker-{i}", worker) for i in (1, 2)]
        start = time.monotonic()
        driver = [sys.executable, str(ROOT / "templates/cluster/dask_add.py"), f"tcp://127.0.0.1:{port}", f"{work}/by-dask"]
        driver = processes.start("driver", [*driver, "--list", listed, "--program", program, "--", *WORDS])
        done = lambda: len(list(commits.glob("*.json"))) if commits.is_dir() else 0  # noqa: E731
        wait_for("a quarter of the inputs", lambda: done() >= count // 4 or driver.poll() is not None, 600)
        before = done()
        os.kill(workers[0].pid, signal.SIGKILL)
        code = driver.wait(timeout=900)
        alive = [child.poll() is None for child in workers]
        print(f"Dask: worker 1 killed with {before} of {count} in; {time.monotonic() - start:.1f} s; {pathlib.Path(f'{work}/driver.log').read_text().strip()}")
    assert before < count and alive == [False, True], (before, alive)
    assert code == 1, f"the driver ended with {code}: one trace is corrupt, so 1 was expected"
    assert tree(f"{work}/whole") == tree(f"{work}/by-dask"), "the datasets differ"
    subprocess.run([program, "dataset", "check", f"{work}/by-dask"], check=True, stdout=subprocess.DEVNULL)
    print(f"Dask: the same {len(tree(f'{work}/whole'))} files, byte for byte, as one command makes; nothing lost, nothing doubled")


def shards_add(program, traces, work):
    """The Slurm script as Slurm would start it: the variables that it sets, three tasks."""
    for task in (5, 6, 7):
        slurm = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "3", "NSYS_ATTRIB": program}
        script = [str(ROOT / "templates/cluster/slurm-add.sbatch"), f"{work}/by-shards", f"{traces}/list.txt", *WORDS]
        done = subprocess.run(["bash", *script], env={**os.environ, **slurm}, capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stderr
    assert tree(f"{work}/whole") == tree(f"{work}/by-shards"), "the datasets differ"
    print("Slurm's script, run with the variables of an array of three tasks (no Slurm): the same files")


def spark_asks(program, traces, work):
    """A standalone cluster with two workers answers every shipped query as polars does."""
    dataset = f"{work}/tagged"
    paths = pathlib.Path(f"{traces}/list.txt").read_text().split()
    for part in range(6):
        tags = [f"commit={'ab'[part % 2]}", f"job={part // 3}", f"rank={part % 3}"]
        chosen = [word for tag in tags for word in ("--tag", tag)]
        subprocess.run([program, "dataset", "add", dataset, *paths[part::6], "--window", "w", *chosen], stderr=subprocess.DEVNULL)
    import pyspark

    home = pathlib.Path(pyspark.__file__).parent
    port, page, environment = free_port(), free_port(), {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable, "SPARK_WORKER_DIR": f"{work}/spark"}
    start = [str(home / "bin/spark-class")]
    with Processes(work) as processes:
        master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page)]
        processes.start("spark-master", start + master, env=environment)
        wait_for("the master of Spark", lambda: listens(port))
        for i in (1, 2):
            worker = ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1g",
                "--webui-port", str(free_port()), f"spark://127.0.0.1:{port}"]
            processes.start(f"spark-worker-{i}", start + worker, env=environment)
        begun = time.monotonic()
        script = [sys.executable, str(ROOT / "templates/cluster/queries_elsewhere.py"), dataset, "--engine", "spark", "--pandas"]
        script += ["--master", f"spark://127.0.0.1:{port}", "--check", program]
        settings = ["spark.executor.memory=768m", "spark.executor.cores=1", "spark.sql.shuffle.partitions=4", "spark.ui.enabled=false",
            "spark.driver.host=127.0.0.1", "spark.scheduler.minRegisteredResourcesRatio=1.0", "spark.cores.max=2"]
        script += [word for setting in settings for word in ("--conf", setting)]
        script += ["--set", "tag=commit", "--set", "before_value=a", "--set", "after_value=b"]
        done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=1200)
        print(done.stdout.strip())
        if done.returncode:
            sys.exit(done.stderr[-3000:])
        print(f"Spark {pyspark.__version__}: two workers, {time.monotonic() - begun:.0f} s with its start")
    assert done.stdout.count(", the same") == 9, "eight queries, and pandas"
    assert "on 2 executors" in done.stdout, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", help="a folder for what is made; emptied first")
    parser.add_argument("--program", required=True)
    parser.add_argument("--traces", required=True)
    parser.add_argument("--only", choices=["dask", "slurm", "spark"], action="append", default=[])
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    os.makedirs(arguments.work)
    program, traces, work = (os.path.abspath(path) for path in (arguments.program, arguments.traces, arguments.work))
    steps = {"dask": dask_adds, "slurm": shards_add, "spark": spark_asks}
    for name in arguments.only or steps:
        steps[name](program, traces, work)


if __name__ == "__main__":
    main()
