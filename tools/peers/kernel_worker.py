#!/usr/bin/env python3
"""Kernels of another library in windows, in the protocol of `kernel-windows` (Benchmarks/Support/kernel-windows).

    kernel_worker.py openblas|torch THREADS

Every line of standard input is a request and is answered by one line of JSON: `case NAME LINE` prepares a case,
`window NAME SECONDS` calls it for that long, `drop NAME` gives its memory back. LINE is the line that names the case of
ours; a word `by=...` chooses among several ways of doing it. compare-kernels starts this with the environment and on the
CPUs that it is to have.
"""

import json
import os
import resource
import sys
import time


def parse(line: str) -> tuple:
    """(operation, {name: value}) of a line; numbers as int."""
    operation, *words = line.split()
    values = dict(word.split("=", 1) for word in words)
    return operation, {name: int(value) if value.isdigit() else value for name, value in values.items()}


def pin_threads() -> None:
    """Binds every thread of this process to a CPU of its own, the calling one to the first."""
    cpus = sorted(os.sched_getaffinity(0))
    threads = sorted(int(name) for name in os.listdir("/proc/self/task"))
    threads.remove(os.getpid())
    for thread, cpu in zip([os.getpid(), *threads], cpus):
        os.sched_setaffinity(thread, {cpu})


class OpenBLAS:
    """The library that numpy brings along."""

    def __init__(self, threads: int):
        import ctypes
        import glob

        import numpy
        self.numpy = numpy
        folder = os.path.join(os.path.dirname(numpy.__file__), "..", "numpy.libs")
        found = glob.glob(os.path.join(folder, "libscipy_openblas64_*"))
        if not found:
            sys.exit(f"numpy {numpy.__version__} of {sys.executable} has no OpenBLAS of its own: use PyPI's")
        library = ctypes.CDLL(found[0])
        library.scipy_openblas_set_num_threads64_(threads)
        config, core = library.scipy_openblas_get_config64_, library.scipy_openblas_get_corename64_
        config.restype = core.restype = ctypes.c_char_p
        version = config().decode().split()
        self.description = {"library": f"OpenBLAS {version[1]}", "kernel": core().decode(), "numpy": numpy.__version__}
        # A first product starts its threads.
        a = self.random(512, 512)
        a @ a
        if threads > 1:
            pin_threads()

    def random(self, *shape):
        return self.numpy.random.default_rng(0).random(shape, dtype="float32") - self.numpy.float32(0.5)

    def prepare(self, operation: str, values: dict):
        """y [m, n] = x [m, k] Wᵀ; it packs both in every call."""
        if operation != "gemm" or values.get("dtype", "f32") != "f32":
            raise ValueError(f"OpenBLAS has no {operation} here")
        x, weight = self.random(values["m"], values["k"]), self.random(values["n"], values["k"])
        y = self.numpy.zeros((values["m"], values["n"]), "float32")
        return lambda: self.numpy.matmul(x, weight.T, out=y)


class Torch:
    """PyTorch, and through it oneDNN. Results go to memory that exists wherever there is a way to say so."""

    def __init__(self, threads: int):
        import re

        import torch
        self.torch = torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        onednn = re.search(r"MKL-DNN v([0-9.]+)", torch.__config__.show())
        self.description = {
            "library": f"PyTorch {torch.__version__.split('+')[0]}",
            "kernel": f"{torch.backends.cpu.get_cpu_capability()}, oneDNN {onednn[1] if onednn else 'unknown'}",
        }

    def prepare(self, operation: str, values: dict):
        return getattr(self, operation.replace("-", "_"))(**values)

    def gemm(self, m: int, n: int, k: int, dtype: str = "f32", pack: str = "once", by: str = "onednn", **_):
        """y [m, n] = x [m, k] Wᵀ: oneDNN with the weight packed before or in the call, or whatever `linear` takes."""
        torch = self.torch
        kind = {"f32": torch.float32, "bf16": torch.bfloat16}[dtype]
        x, weight = torch.randn(m, k).to(kind), torch.randn(n, k).to(kind)
        if by == "linear":
            return self.inference(lambda: torch.nn.functional.linear(x, weight))
        if by == "matmul":
            y = torch.empty(m, n, dtype=kind)
            return self.inference(lambda: torch.mm(x, weight.t(), out=y))
        if pack == "once":
            weight = torch.ops.mkldnn._reorder_linear_weight(weight, m)
        return self.inference(lambda: torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], ""))

    def layer_norm(self, rows: int, channels: int, **options):
        """LayerNorm, then scale and shift, as the reference implementation of SSF writes it."""
        torch = self.torch
        passes = options.get("pass", "forward")
        x, weight, bias, scale, shift = (torch.randn(*shape) for shape in ((rows, channels),) + 4 * ((channels,),))

        def forward():
            return torch.nn.functional.layer_norm(x, (channels,), weight, bias, 1e-6) * scale + shift

        if passes == "forward":
            return self.inference(forward)
        for trained in (x, scale, shift):
            trained.requires_grad_()
        y, dy = forward(), torch.randn(rows, channels)
        return lambda: torch.autograd.grad(y, (x, scale, shift), dy, retain_graph=True)

    def softmax(self, rows: int, columns: int, **options):
        torch = self.torch
        x, y = torch.randn(rows, columns), torch.empty(rows, columns)
        if options.get("pass", "forward") == "forward":
            return self.inference(lambda: torch.softmax(x, -1, out=y))
        y, dy, dx = torch.softmax(x, -1), torch.randn(rows, columns), torch.empty(rows, columns)
        backward = torch.ops.aten._softmax_backward_data.out
        return self.inference(lambda: backward(dy, y, -1, torch.float32, grad_input=dx))

    def gelu(self, count: int, **options):
        torch = self.torch
        x, result = 4 * torch.rand(count) - 2, torch.empty(count)
        if options.get("pass", "forward") == "forward":
            return self.inference(lambda: torch.ops.aten.gelu.out(x, approximate="none", out=result))
        dy, backward = torch.randn(count), torch.ops.aten.gelu_backward.grad_input
        return self.inference(lambda: backward(dy, x, approximate="none", grad_input=result))

    def attention(self, batch: int, tokens: int, heads: int, width: int, **options):
        """scaled_dot_product_attention of contiguous q, k and v, which is the arrangement it likes best."""
        torch = self.torch
        dtype = torch.bfloat16 if options.get("dtype") == "bf16" else torch.float32
        q, k, v = (torch.randn(batch, heads, tokens, width, dtype=dtype) for _ in range(3))
        attention = torch.nn.functional.scaled_dot_product_attention
        passes = options.get("pass", "forward")
        if passes == "forward":
            return self.inference(lambda: attention(q, k, v))
        for trained in (q, k, v):
            trained.requires_grad_()
        dy = torch.randn(batch, heads, tokens, width, dtype=dtype)
        if passes == "both":
            return lambda: torch.autograd.grad(attention(q, k, v), (q, k, v), dy)
        y = attention(q, k, v)
        return lambda: torch.autograd.grad(y, (q, k, v), dy, retain_graph=True)

    def inference(self, call):
        def run():
            with self.torch.inference_mode():
                return call()
        return run


def window(call, seconds: float) -> dict:
    """Calls `call` for `seconds`; a sample is one call, or as many as make the time of the loop itself negligible."""
    clock, calls = time.perf_counter, 1
    call()
    while True:
        began = clock()
        for _ in range(calls):
            call()
        if clock() - began >= 50e-6:
            break
        calls *= 2
    warm = clock() + seconds / 10
    while clock() < warm:
        call()
    switched = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    samples, end = [], clock() + seconds
    while not samples or clock() < end:
        began = clock()
        for _ in range(calls):
            call()
        samples.append((clock() - began) / calls)
    samples.sort()
    switched = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - switched
    return {"median": samples[len(samples) // 2], "best": samples[0], "samples": len(samples),
            "calls": calls * len(samples), "involuntary_switches": switched}


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] not in ("openblas", "torch"):
        sys.exit(__doc__)
    library = (OpenBLAS if sys.argv[1] == "openblas" else Torch)(int(sys.argv[2]))
    print(json.dumps(library.description), flush=True)
    cases = {}
    for line in sys.stdin:
        try:
            request, *words = line.split(maxsplit=2)
            if request == "case":
                cases[words[0]] = library.prepare(*parse(words[1]))
                answer = {"prepared": True}
            elif request == "window":
                answer = window(cases[words[0]], float(words[1]))
            elif request == "drop":
                cases.pop(words[0], None)
                answer = {"dropped": True}
            else:
                answer = {"error": f"not understood: {line.strip()}"}
        except Exception as error:  # the driver decides what it means
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
