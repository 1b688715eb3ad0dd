"""The machine line of a measurement, and what others took of its time."""

import os
import platform
from pathlib import Path


def cpu_ticks() -> tuple:
    """(stolen, all) ticks of the machine since it started."""
    fields = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return fields[7], sum(fields)


def machine() -> dict:
    """Processor, instruction sets that matter here, CPUs and kernel."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = fields.get("flags", "").split()
    return {
        "cpu": fields.get("model name", platform.processor()),
        "family_model": f"{fields.get('cpu family')}/{fields.get('model')}",
        "cpus": os.cpu_count(),
        "isa": [flag for flag in ("avx2", "avx512f", "avx512vl", "avx512_bf16", "amx_bf16") if flag in flags],
        "kernel": platform.release(),
    }
