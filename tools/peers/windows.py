"""What the comparisons in alternating windows have in common: the processes of both sides, windows, spreads, files."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import cpu_ticks

# Glibc keeps memory and asks for huge pages, which some machines give only to who asks. Our kernels gain half a per
# cent by it, oneDNN up to a quarter. What the caller's own environment says of these goes first.
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
MEMORY |= {name: os.environ[name] for name in MEMORY if name in os.environ}


def confine(cpus: list, realtime: bool) -> None:
    """What a process does before it becomes a side."""
    os.sched_setaffinity(0, cpus)
    if realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))


class Worker:
    """A process that answers a line of JSON to each line."""

    def __init__(self, command: list, environment: dict, cpus: list, realtime: bool):
        # Wishes of the caller's shell about threads and instruction sets hold for neither side.
        wishes = ("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "DNNL_", "ATEN_", "SSF_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(wishes)}
        self.process = subprocess.Popen([str(word) for word in command], env=inherited | environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=lambda: confine(cpus, realtime))
        self.description = self.receive()

    def receive(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.process.args)} ended with {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def ask(self, request: str) -> dict:
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.receive()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


# More of these in a window, and it says nothing. Steal is counted in hundredths of a second, and one such tick leaves
# the median of a window where it is.
MOST_STOLEN_TICKS, MOST_SWITCHES = 1, 4


def measured(worker: Worker, request: str, steal_share: float = 0) -> dict:
    """A window, with `disturbed` where something else took the CPUs during it.

    `steal_share` is the part of a long window that the hypervisor may have taken besides single ticks. Switches are
    counted for a tenth of a second.
    """
    # The threads of the side before fall asleep.
    time.sleep(0.004)
    stolen, ticks = cpu_ticks()
    started = time.perf_counter()
    answer = worker.ask(request)
    seconds = time.perf_counter() - started
    stolen_after, ticks_after = cpu_ticks()
    most_stolen = MOST_STOLEN_TICKS + steal_share * (ticks_after - ticks)
    most_switches = MOST_SWITCHES * max(1, seconds / 0.1)
    answer["disturbed"] = (stolen_after - stolen > most_stolen
                           or answer.get("involuntary_switches", 0) > most_switches)
    return answer


def spread(values: list) -> dict:
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else 3 * values
    digits = [float(f"{value:.4g}") for value in (quartiles[1], quartiles[0], quartiles[2])]
    return dict(zip(("median", "q1", "q3"), digits))


def duration(seconds: float) -> str:
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def written(path: Path, here: dict, results: list, environment: dict) -> dict:
    """What FILE is to hold: these results, and those of other names that it has from the same machine."""
    kept = []
    if path.exists():
        before = json.loads(path.read_text())
        if before["machine"] == here:
            new = {row["name"] for row in results}
            kept = [row for row in before["results"] if row["name"] not in new]
    return {"machine": here, "environment": environment, "results": kept + results}
