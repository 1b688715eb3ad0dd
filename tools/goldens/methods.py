#!/usr/bin/env python3
"""Goldens of tuning methods by PyTorch: Tests/Goldens/gradients/<model>/<variant>.safetensors.

Each method is put on an untouched timm model by forward hooks, written from the method's paper or its own code and not
from this project's; LoRA on the fused qkv is Hugging Face's PEFT itself. Computed in float64 on the images and labels of
`linear.safetensors` in the same folder (`gradients.py` makes it, and the models):

    init.<name>      the trainables' values: where the method begins, and noise, so that no gradient vanishes
    losses    [8]    cross-entropy of each image
    grad.<name>      gradient of their mean, for every trainable

Metadata: `method` and `options`, as this project names them.
"""

import argparse
import sys
from pathlib import Path

import timm
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

from common import GOLDENS, generator, random_images, write  # noqa: E402
from gradients import BATCH, labels, single  # noqa: E402
from modulation import site_modules  # noqa: E402

# variant: (method, options, models)
BOTH = ("vit", "rich")
VARIANTS = {
    "ssf-scalar": ("ssf", {"scalar-scale": True}, ("vit",)),
    "ssf-no-scale": ("ssf", {"without": ["scale"]}, ("vit",)),
    "ssf-no-shift": ("ssf", {"without": ["shift"]}, ("vit",)),
    "lora-qkv": ("lora", {"rank": 4, "alpha": 6.0}, ("vit",)),
    "lora-qv": ("lora", {"rank": 4, "alpha": 2.0, "targets": ["q", "v"]}, BOTH),
    "adapter-pfeiffer": ("adapter", {"reduction": 8}, ("vit",)),
    "adapter-houlsby": ("adapter", {"form": "houlsby", "bottleneck": 5}, BOTH),
    "adaptformer": ("adaptformer", {"bottleneck": 6, "adapter-scale": 0.3}, BOTH),
    "adaptformer-no-bias": ("adaptformer", {"bottleneck": 4, "adapter-bias": False}, ("vit",)),
    "vpt-shallow": ("vpt-shallow", {"prompts": 3}, BOTH),
    "vpt-deep": ("vpt-deep", {"prompts": 3}, BOTH),
    "repadapter-block": ("repadapter", {"bottleneck": 4, "adapter-scale": 0.5}, BOTH),
    "repadapter-attn": ("repadapter", {"form": "attn", "bottleneck": 6, "groups": 1}, ("vit",)),
}


class Trainables(dict):
    """name -> parameter; each drawn from its name around where it begins."""

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def make(self, name: str, shape: tuple, centre: float = 0.0, spread: float = 0.2) -> torch.nn.Parameter:
        values = single(centre + spread * generator(self.seed, name).standard_normal(shape))
        self[name] = torch.nn.Parameter(values.double())
        return self[name]

    def linear(self, name: str, outputs: int, inputs: int, bias: bool = True):
        return self.make(f"{name}.weight", (outputs, inputs)), self.make(f"{name}.bias", (outputs,)) if bias else None


def ssf(model, made, options):
    without = options.get("without", [])
    for site, (module, width) in site_modules(model).items():
        scale = shift = None
        if "scale" not in without:
            scale = made.make(f"{site}.scale", (1 if options.get("scalar-scale") else width,), 1.0, 0.1)
        if "shift" not in without:
            shift = made.make(f"{site}.shift", (width,), 0.0, 0.1)

        def hook(_, __, output, scale=scale, shift=shift):
            output = output if scale is None else output * scale
            return output if shift is None else output + shift

        module.register_forward_hook(hook)


def lora_qv(model, made, options):
    """As LoRA's paper: q and v alone, each with factors of its own."""
    rank, scaling, width = options["rank"], options["alpha"] / options["rank"], model.embed_dim
    for index, block in enumerate(model.blocks):
        factors = {
            part: (made.make(f"blocks.{index}.attn.{part}.lora_A.weight", (rank, width)),
                   made.make(f"blocks.{index}.attn.{part}.lora_B.weight", (width, rank)))
            for part in ("q", "v")
        }

        def hook(_, inputs, output, factors=factors):
            delta = {part: F.linear(F.linear(inputs[0], a), b) * scaling for part, (a, b) in factors.items()}
            return output + torch.cat([delta["q"], torch.zeros_like(delta["q"]), delta["v"]], dim=-1)

        block.attn.qkv.register_forward_hook(hook)


def lora_peft(model, made, options):
    """PEFT's own LoRA; its parameters under their own names, without `base_model.model.` and the adapter's name."""
    from peft import LoraConfig, inject_adapter_in_model

    inject_adapter_in_model(
        LoraConfig(r=options["rank"], lora_alpha=options["alpha"], target_modules=["qkv"]), model)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            own = name.replace(".default", "")
            with torch.no_grad():
                parameter.copy_(single(0.2 * generator(made.seed, own).standard_normal(tuple(parameter.shape))))
            made[own] = parameter


def lora(model, made, options):
    (lora_qv if "targets" in options else lora_peft)(model, made, options)


def adapter(model, made, options):
    hidden = options.get("bottleneck") or model.embed_dim // options["reduction"]
    for index, block in enumerate(model.blocks):
        for site in ("attn.proj", "mlp.fc2") if options.get("form") == "houlsby" else ("mlp.fc2",):
            name = f"blocks.{index}.{site}.adapter"
            down = made.linear(f"{name}.down", hidden, model.embed_dim)
            up = made.linear(f"{name}.up", model.embed_dim, hidden)
            block.get_submodule(site).register_forward_hook(
                lambda _, __, z, down=down, up=up: z + F.linear(F.gelu(F.linear(z, *down)), *up))


def adaptformer(model, made, options):
    scale, bias = options.get("adapter-scale", 0.1), options.get("adapter-bias", True)
    for index, block in enumerate(model.blocks):
        name = f"blocks.{index}.adaptmlp"
        down = made.linear(f"{name}.down", options["bottleneck"], model.embed_dim, bias)
        up = made.linear(f"{name}.up", model.embed_dim, options["bottleneck"], bias)
        seen = {}
        block.norm2.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.update(x=inputs[0]))
        block.register_forward_hook(
            lambda _, __, y, seen=seen, down=down, up=up:
            y + scale * F.linear(F.relu(F.linear(seen["x"], *down)), *up))


def vpt(model, made, options, deep):
    count, prefix = options["prompts"], model.num_prefix_tokens
    for index, block in enumerate(model.blocks):
        if index > 0 and not deep:
            break
        prompts = made.make(f"blocks.{index}.prompts", (1, count, model.embed_dim))

        def hook(_, inputs, prompts=prompts, skipped=count if index > 0 else 0):
            x = inputs[0]
            return (torch.cat([x[:, :prefix], prompts.expand(len(x), -1, -1), x[:, prefix + skipped:]], dim=1),)

        block.register_forward_pre_hook(hook)
    model.norm.register_forward_pre_hook(
        lambda _, inputs: (torch.cat([inputs[0][:, :prefix], inputs[0][:, prefix + count:]], dim=1),))


def repadapter(model, made, options):
    hidden, groups, scale = options["bottleneck"], options.get("groups", 2), options.get("adapter-scale", 1.0)
    for index, block in enumerate(model.blocks):
        for site in ("attn.qkv",) if options.get("form") == "attn" else ("attn.qkv", "mlp.fc1"):
            name = f"blocks.{index}.{site}.adapter"
            a = made.linear(f"{name}.A", hidden, model.embed_dim)
            b = made.linear(f"{name}.B", model.embed_dim, hidden // groups)

            def hook(_, inputs, a=a, b=b):
                x = inputs[0].transpose(1, 2)
                middle = F.conv1d(x, a[0][:, :, None], a[1])
                return ((x + scale * F.conv1d(middle, b[0][:, :, None], b[1], groups=groups)).transpose(1, 2),)

            block.get_submodule(site).register_forward_pre_hook(hook)


ATTACH = {
    "ssf": ssf, "lora": lora, "adapter": adapter, "adaptformer": adaptformer, "repadapter": repadapter,
    "vpt-shallow": lambda model, made, options: vpt(model, made, options, deep=False),
    "vpt-deep": lambda model, made, options: vpt(model, made, options, deep=True),
}


def gradients(folder: Path, variant: str, seed: int) -> None:
    method, options, _ = VARIANTS[variant]
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval().double().requires_grad_(False)
    made = Trainables(seed)
    head = {"head.weight": model.head.weight, "head.bias": model.head.bias}
    ATTACH[method](model, made, options)
    made.update(head)
    for parameter in made.values():
        parameter.requires_grad_(True)
    init = {f"init.{name}": parameter.detach().clone() for name, parameter in made.items()}

    losses = F.cross_entropy(model(random_images(BATCH, (16, 16), seed).double()), labels(BATCH, seed), reduction="none")
    losses.mean().backward()
    found = {f"grad.{name}": parameter.grad for name, parameter in made.items()}
    assert all(gradient is not None and gradient.abs().max() > 0 for gradient in found.values())
    details = {}
    if method == "lora":
        import peft

        details["peft"] = peft.__version__
    write(folder / f"{variant}.safetensors", {**init, "losses": losses, **found}, seed, model=folder.name,
          method=method, options=options, **details)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    for variant, (_, _, models) in VARIANTS.items():
        for name in models:
            gradients(GOLDENS / "gradients" / name, variant, seed)


if __name__ == "__main__":
    main()
