#!/usr/bin/env python3
"""Training steps and inference of PyTorch in windows, in the protocol of `step-windows`
(Benchmarks/Support/step-windows).

    step_worker.py THREADS

`case NAME LINE` takes the lines of ours and, besides, `by=eager|compile` and, for `precision=bf16`, `cast=site`, with
the scales and shifts of SSF cast to the type of what they modulate, without which everything behind a site is float32
again, or `cast=weights`, inference with a model that is bfloat16 throughout; else autocast does what it does by
itself. `window NAME CALLS` makes so many steps, `memory` is the most that was resident, `inputs NAME FILE` draws
images and labels, and `draw MODEL FOLDER` writes a model of timm's with random weights. `compare NAME INPUTS
RECORDED` takes the trainables of a file that ours has recorded, computes the gradients of the same step in float64,
in float32 and under autocast, and says how far each, and the recorded ones, are from those in float64.

The model is timm's, from a folder, SSF by forward hooks, the optimiser is AdamW in its fused form.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

import timm
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from kernel_worker import parse
from modulation import attach, site_modules, trainables


def attach_cast(model: torch.nn.Module, scales_and_shifts: dict) -> None:
    """As `attach`, with scale and shift in the type of the output that they modulate."""
    def hook(scale, shift):
        return lambda _, __, output: output * scale.to(output.dtype) + shift.to(output.dtype)

    for site, (module, _) in site_modules(model).items():
        module.register_forward_hook(hook(scales_and_shifts[f"{site}.scale"], scales_and_shifts[f"{site}.shift"]))


class Case:
    """A step of one model."""

    def __init__(self, line: str):
        self.kind, values = parse(line)
        self.batch = values["batch"]
        self.size, self.classes = values.get("size", 224), values.get("classes", 100)
        self.method = values.get("method", "ssf") if self.kind == "train" else "full"
        self.bf16 = values.get("precision") == "bf16"
        torch.manual_seed(0)
        model = timm.create_model(f"local-dir:{values['model']}", pretrained=True, img_size=self.size,
                                  num_classes=self.classes)
        modulation = {}
        if self.method == "ssf":
            for site, (_, width) in site_modules(model).items():
                modulation[f"{site}.scale"] = torch.nn.Parameter(1 + 0.02 * torch.randn(width))
                modulation[f"{site}.shift"] = torch.nn.Parameter(0.02 * torch.randn(width))
        if values.get("cast") == "site" and modulation:
            trained = trainables(model, "linear") | modulation
            attach_cast(model, modulation)
        else:
            trained = trainables(model, self.method, modulation)
        self.model, self.trained = model, trained
        self.images = torch.rand(self.batch, 3, self.size, self.size) * 2 - 1
        self.labels = torch.arange(self.batch) % self.classes
        if self.kind == "infer":
            model.eval().requires_grad_(False)
            if self.bf16 and values.get("cast") == "weights":
                model.bfloat16()
                self.images, self.bf16 = self.images.bfloat16(), False
        else:
            model.train()
            self.optimizer = torch.optim.AdamW(trained.values(), lr=1e-6, weight_decay=1e-4, fused=True)
        self.forward = torch.compile(self.loss) if values.get("by") == "compile" else self.loss

    def loss(self) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits = self.model(self.images)
            return logits if self.kind == "infer" else torch.nn.functional.cross_entropy(logits, self.labels)

    def step(self) -> None:
        if self.kind == "infer":
            with torch.inference_mode():
                self.forward()
            return
        self.optimizer.zero_grad(set_to_none=True)
        self.forward().backward()
        self.optimizer.step()

    def window(self, calls: int) -> dict:
        switched = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        samples = []
        for _ in range(calls):
            started = time.perf_counter()
            self.step()
            samples.append(time.perf_counter() - started)
        samples.sort()
        return {"median": samples[calls // 2], "best": samples[0], "calls": calls,
                "involuntary_switches": resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - switched}

    # ---- Gradients

    def compare(self, recorded: str, inputs: str) -> dict:
        """Distances from the gradients in float64, as parts of their norm."""
        with safe_open(inputs, "pt") as file:
            self.images, self.labels = file.get_tensor("images"), file.get_tensor("labels").long()
        with safe_open(recorded, "pt") as file:
            values = {name: file.get_tensor(name) for name in file.keys()}
        missing = [name for name in self.trained if f"value.{name}" not in values]
        if missing:
            raise ValueError(f"{recorded} has no {missing[0]}")
        with torch.no_grad():
            for name, parameter in self.trained.items():
                parameter.copy_(values[f"value.{name}"].reshape(parameter.shape))
        single = self.gradients()
        self.bf16 = True
        half = self.gradients()
        self.bf16 = False
        self.model.double()
        for parameter in self.trained.values():
            parameter.data = parameter.data.double()
        self.images = self.images.double()
        exact = self.gradients()
        ours = {name: values[f"gradient.{name}"].reshape(exact[name].shape).double() for name in exact}
        norm = torch.sqrt(sum(value.square().sum() for value in exact.values())).item()

        def distance(gradients: dict) -> float:
            return torch.sqrt(sum((gradients[name] - exact[name]).square().sum() for name in exact)).item() / norm

        return {"norm": norm, "ours": distance(ours), "PyTorch f32": distance(single),
                "PyTorch autocast bf16": distance(half)}

    def draw_inputs(self, path: str) -> None:
        """Images whose large shapes and fine grain are noise, within [-1, 1]."""
        torch.manual_seed(1)
        large = torch.randn(self.batch, 3, 8, 8)
        images = torch.nn.functional.interpolate(large, (self.size, self.size), mode="bicubic")
        images = (0.5 * images + 0.1 * torch.randn_like(self.images)).clamp(-1, 1)
        save_file({"images": images, "labels": self.labels.int()}, path)

    def gradients(self) -> dict:
        for parameter in self.trained.values():
            parameter.grad = None
        self.loss().backward()
        return {name: parameter.grad.double() for name, parameter in self.trained.items()}


def draw(name: str, folder: Path) -> None:
    """A model of timm's with random weights, as a folder that both sides read."""
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=100)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / "model.safetensors")
    _, height, width = model.pretrained_cfg["input_size"]
    preprocessing = {"input_size": [3, height, width], "mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic",
                     "crop_pct": 0.9, "num_classes": 100, "first_conv": "patch_embed.proj", "classifier": "head"}
    (folder / "config.json").write_text(json.dumps(
        {"architecture": name, "num_classes": 100, "num_features": model.num_features,
         "pretrained_cfg": preprocessing}))


def main() -> None:
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    cases = {}

    def answer(request: str) -> dict:
        words = request.split(" ", 2)
        match words:
            case ["case", name, line]:
                cases[name] = Case(line)
                return {"trainable": sum(value.numel() for value in cases[name].trained.values())}
            case ["window", name, calls]:
                return cases[name].window(int(calls))
            case ["compare", name, files]:
                inputs, recorded = files.split(" ")
                return cases[name].compare(recorded, inputs)
            case ["inputs", name, path]:
                cases[name].draw_inputs(path)
                return {"drawn": True}
            case ["draw", name, folder]:
                draw(name, Path(folder))
                return {"drawn": True}
            case ["memory"]:
                return {"peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        return {"error": f"not understood: {request}"}

    def send(value: dict) -> None:
        # Not sys.stdout, to which libraries may print.
        os.write(protocol, (json.dumps(value) + "\n").encode())

    protocol = os.dup(1)
    os.dup2(2, 1)
    send({"library": f"PyTorch {torch.__version__}", "timm": timm.__version__, "threads": torch.get_num_threads(),
          "kernels": torch.backends.cpu.get_cpu_capability(),
          "rss_bytes_at_start": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024})
    for line in sys.stdin:
        try:
            send(answer(line.strip()))
        except Exception as error:  # whatever it is, the driver says it and goes on
            send({"error": f"{type(error).__name__}: {error}"[:400]})


if __name__ == "__main__":
    main()
