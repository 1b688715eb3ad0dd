#!/usr/bin/env python3
"""The PyTorch twin of a training run: timm's vision transformer tuned on a VTAB-1k folder, eager, float32.

The protocol: images through Pillow (RGB, bicubic, straight to the input size), normalised as the model's config.json
says, no augmentation, trained on train800val200.txt in shuffled batches without the last partial one; the position
embedding resized by timm; the head re-initialised (truncated normal 0.02, zero bias); SSF as forward hooks, scales from
N(1, 0.02), shifts from N(0, 0.02); plain cross-entropy; AdamW (0.9, 0.999, 1e-8) with the weight decay on every
trainable; at step t of T the rate is lr x min(1, (t + 1) / W) x (1 + cos(pi t / T)) / 2; the last weights are tested on
test.txt.

The images are decoded before the clock starts, which favours the twin. The result is one line of JSON on stdout.
"""

import argparse
import json
import math
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from safetensors import safe_open

from modulation import site_modules, trainables

RATES = {"linear": 1e-2, "ssf": 5e-3, "full": 2e-4}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="timm local-dir folder")
    parser.add_argument("--data", type=Path, required=True, help="VTAB-1k folder")
    parser.add_argument("--method", choices=list(RATES), default="ssf")
    parser.add_argument("--lr", type=float, help=f"default by method: {RATES}")
    parser.add_argument("--weight-decay", type=float, default=5e-5)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--warmup-epochs", type=int, default=3)
    parser.add_argument("--stop-after", type=int, metavar="EPOCHS", help="stop early, with the schedule of --epochs")
    parser.add_argument("--img-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--replay", type=Path, metavar="FILE",
                        help="start from the trainables (init.*) and the batch order of this safetensors file and "
                             "report how far its losses and test predictions are")
    return parser.parse_args()


def read_split(data: Path, split: str, size: int, mean: list, std: list) -> tuple:
    """Images [n, 3, size, size] and labels [n] of a list file."""
    images, labels = [], []
    for line in (data / f"{split}.txt").read_text().splitlines():
        name, label = line.rsplit(maxsplit=1)
        with Image.open(data / name) as image:
            images.append(np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)))
        labels.append(int(label))
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    pixels = (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    return pixels.contiguous(), torch.tensor(labels)


def prepare(arguments: argparse.Namespace, classes: int) -> tuple:
    """The model ready for its method, and its trainables by name."""
    model = timm.create_model(
        f"local-dir:{arguments.model}", pretrained=True, img_size=arguments.img_size, num_classes=classes)
    torch.nn.init.trunc_normal_(model.head.weight, std=0.02)
    torch.nn.init.zeros_(model.head.bias)
    modulation = {}
    if arguments.method == "ssf":
        for site, (_, width) in site_modules(model).items():
            modulation[f"{site}.scale"] = torch.nn.Parameter(1 + 0.02 * torch.randn(width))
            modulation[f"{site}.shift"] = torch.nn.Parameter(0.02 * torch.randn(width))
    return model.train(), trainables(model, arguments.method, modulation)


@torch.no_grad()
def load_replay(path: Path, named: dict) -> dict:
    """Sets the trainables that the file has and gives the rest of it: order, losses, test_logits, test_labels."""
    with safe_open(path, "pt") as file:
        recorded = {name: file.get_tensor(name) for name in file.keys()}
    for name, value in recorded.items():
        if name.startswith("init."):
            named[name.removeprefix("init.")].copy_(value)
    return {name: value for name, value in recorded.items() if not name.startswith("init.")}


@torch.no_grad()
def predict(model: torch.nn.Module, images: torch.Tensor, batch: int) -> torch.Tensor:
    model.eval()
    return torch.cat([model(part) for part in images.split(batch)])


def main() -> None:
    started = time.perf_counter()
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    config = json.loads((arguments.model / "config.json").read_text())["pretrained_cfg"]
    decode = lambda split: read_split(  # noqa: E731
        arguments.data, split, arguments.img_size, config["mean"], config["std"])
    images, labels = decode("train800val200")
    test_images, test_labels = decode("test")
    classes = int(max(labels.max(), test_labels.max())) + 1

    model, named = prepare(arguments, classes)
    recorded = load_replay(arguments.replay, named) if arguments.replay else {}
    optimizer = torch.optim.AdamW(named.values(), weight_decay=arguments.weight_decay)

    rate = arguments.lr or RATES[arguments.method]
    batch = arguments.batch_size
    steps = len(images) // batch
    total, warmup = arguments.epochs * steps, arguments.warmup_epochs * steps
    losses, epoch_seconds = [], []
    for epoch in range(arguments.stop_after or arguments.epochs):
        order = recorded["order"][epoch] if recorded else torch.randperm(len(images))
        epoch_started = time.perf_counter()
        for step in range(steps):
            t = epoch * steps + step
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1, (t + 1) / max(warmup, 1)) * 0.5 * (1 + math.cos(math.pi * t / total))
            chosen = order[step * batch : (step + 1) * batch]
            loss = torch.nn.functional.cross_entropy(model(images[chosen]), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        epoch_seconds.append(time.perf_counter() - epoch_started)
        print(f"epoch {epoch}  loss {sum(losses[-steps:]) / steps:.4f}  {epoch_seconds[-1]:.2f} s", file=sys.stderr)

    logits = predict(model, test_images, batch)
    result = {
        "accuracy": round(100 * (logits.argmax(1) == test_labels).double().mean().item(), 2),
        "train_seconds": round(sum(epoch_seconds), 3),
        "epoch_seconds": [round(seconds, 3) for seconds in epoch_seconds],
        "images_per_second": round(len(epoch_seconds) * steps * batch / sum(epoch_seconds), 1),
        "process_seconds": round(time.perf_counter() - started, 3),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "method": arguments.method,
        "trainable": sum(value.numel() for value in named.values()),
        "learning_rate": rate,
        "epochs": len(epoch_seconds),
        "batch_size": batch,
        "img_size": arguments.img_size,
        "seed": arguments.seed,
        "threads": torch.get_num_threads(),
        "cpus": sorted(os.sched_getaffinity(0)),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "timm": timm.__version__,
    }
    if recorded:
        compared = min(len(losses), len(recorded["losses"]))
        differences = torch.tensor(losses[:compared]) - recorded["losses"][:compared]
        result["replay"] = {"losses": compared, "largest_loss_difference": differences.abs().max().item()}
        if compared == len(recorded["losses"]):
            same = (logits.argmax(1) == recorded["test_logits"].argmax(1)).double().mean().item()
            result["replay"]["same_predictions"] = same
    print(json.dumps(result))


if __name__ == "__main__":
    main()
