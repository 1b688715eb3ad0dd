#!/usr/bin/env python3
"""Goldens of losses, gradients and optimiser steps by PyTorch: Tests/Goldens/gradients/<model>/.

Two tiny base models with random weights in timm's local-dir layout: `vit`, and `rich` (LayerScale, qk-norm, registers,
no class-token embedding). Beside each, computed in float64 with plain cross-entropy, the mean over the batch:

`<method>.safetensors` for ssf, linear and full
    images    [8, 3, 16, 16]   normalised input
    labels    [8]              int32
    init.<name>                the trainables' values (ssf and linear; full starts from the model's own file)
    logits    [8, K]
    losses    [8]
    loss      [1]              their mean
    grad.<name>                gradient of loss, for every trainable

`adamw-<run>.safetensors`: 20 steps of AdamW (0.9, 0.999, eps 1e-8) at a constant rate, and
`sgd-<run>.safetensors`: of SGD with Nesterov's momentum (0.9)
    images    [24, 3, 16, 16]
    labels    [24]
    order     [20, 8]          step t uses the images order[t]
    init.<name>                as above
    losses    [20]             before each step
    logits    [24, K]          of all images after the last step

Trainables are named `<site>.scale`, `<site>.shift`, `head.weight` and `head.bias`; for full, as timm names them. The
rate and the weight decay of each run are in the metadata (`decayed` says whether every trainable decays or only
head.weight).
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import timm
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

from common import GOLDENS, generator, random_images, randomize, save_timm, write  # noqa: E402
from modulation import site_modules, trainables  # noqa: E402

SIZE = dict(img_size=16, patch_size=4, embed_dim=32, depth=2, num_heads=2, num_classes=5)
MODELS = {
    "vit": ("vit_tiny_patch16_224", SIZE),
    "rich": ("vit_small_patch14_reg4_dinov2", SIZE | dict(qk_norm=True)),
}
BATCH = 8
STEPS = 20

# optimiser-run: (model, method, learning rate, weight decay, what decays)
RUNS = {
    "adamw-ssf": ("vit", "ssf", 5e-3, 5e-5, "all"),
    "adamw-ssf-head-decay": ("vit", "ssf", 5e-3, 0.05, "head.weight"),
    "adamw-linear": ("vit", "linear", 1e-2, 5e-5, "all"),
    "adamw-full": ("vit", "full", 1e-3, 0.05, "all"),
    "sgd-ssf": ("vit", "ssf", 2e-2, 0.05, "head.weight"),
}


def single(values) -> torch.Tensor:
    """Rounded to float32, what a reader of the golden will start from."""
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def set_up(folder: Path, method: str, seed: int, dtype: torch.dtype):
    """The model of `folder` ready for `method`, its trainables by name, and the initial values a golden records."""
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval().to(dtype)
    modulation = {}
    if method == "ssf":
        for site, (_, width) in site_modules(model).items():
            for kind, centre in (("scale", 1.0), ("shift", 0.0)):
                name = f"{site}.{kind}"
                values = single(centre + 0.1 * generator(seed, name).standard_normal(width))
                modulation[name] = torch.nn.Parameter(values.to(dtype))
    named = trainables(model, method, modulation)
    init = {} if method == "full" else {f"init.{name}": value.detach().clone() for name, value in named.items()}
    return model, named, init


def labels(count: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(generator(seed, "labels").integers(0, SIZE["num_classes"], count))


def gradients(folder: Path, method: str, seed: int) -> None:
    model, named, init = set_up(folder, method, seed, torch.float64)
    images, targets = random_images(BATCH, (16, 16), seed), labels(BATCH, seed)
    logits = model(images.double())
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    losses.mean().backward()
    found = {f"grad.{name}": parameter.grad for name, parameter in named.items()}
    assert all(gradient is not None for gradient in found.values())
    write(folder / f"{method}.safetensors",
          {"images": images, "labels": targets, **init, "logits": logits, "losses": losses,
           "loss": losses.mean().reshape(1), **found},
          seed, model=folder.name, method=method)


def steps(folder: Path, name: str, method: str, rate: float, decay: float, decayed: str, seed: int,
          dtype: torch.dtype) -> dict:
    """The tensors of a golden of 20 steps."""
    model, named, init = set_up(folder, method, seed, dtype)
    count = 3 * BATCH
    images, targets = random_images(count, (16, 16), seed), labels(count, seed)
    order = np.stack([generator(seed, f"step {t}").permutation(count)[:BATCH] for t in range(STEPS)])
    groups = [
        {"params": [p for n, p in named.items() if decayed in ("all", n)], "weight_decay": decay},
        {"params": [p for n, p in named.items() if decayed not in ("all", n)], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if name == "adamw":
        optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), eps=1e-8)
    else:
        optimizer = torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)
    losses = []
    for batch in order:
        loss = torch.nn.functional.cross_entropy(model(images[batch].to(dtype)), targets[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        logits = model(images.to(dtype))
    return {"images": images, "labels": targets, "order": order, **init, "losses": np.array(losses), "logits": logits}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)

    for name, (architecture, arguments) in MODELS.items():
        model = timm.create_model(architecture, **arguments).eval()
        randomize(model, seed)
        save_timm(model, GOLDENS / "gradients" / name)
        for method in ("ssf", "linear", "full"):
            gradients(GOLDENS / "gradients" / name, method, seed)

    for run, (name, method, rate, decay, decayed) in RUNS.items():
        folder = GOLDENS / "gradients" / name
        golden = steps(folder, run.split("-")[0], method, rate, decay, decayed, seed, torch.float64)
        in_single = steps(folder, run.split("-")[0], method, rate, decay, decayed, seed, torch.float32)
        write(folder / f"{run}.safetensors", golden, seed,
              model=name, method=method, learning_rate=rate, weight_decay=decay, decayed=decayed)
        print(f"  losses {golden['losses'][0]:.4f} .. {golden['losses'][-1]:.4f}; PyTorch in float32 differs by "
              f"{abs(golden['losses'] - in_single['losses']).max():.1e} in the losses, "
              f"{(golden['logits'] - in_single['logits']).abs().max():.1e} in the last logits")


if __name__ == "__main__":
    main()
