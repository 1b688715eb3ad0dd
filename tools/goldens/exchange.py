#!/usr/bin/env python3
"""Goldens of adapters as other programs store them: Tests/Goldens/exchange/.

`peft-timm/`, `peft-transformers/`: LoRA folders by Hugging Face's PEFT itself, over `gradients/vit` (timm, fused qkv)
and over `huggingface/vit` (transformers, q and v), the classifier saved with them.
`reference.safetensors`: a state dict with backbone, scales, shifts and head over `gradients/vit`, under the names of
`models/vision_transformer.py` of github.com/dongzelian/SSF (its published layout; that code needs libraries of 2022).
`<name>-logits.safetensors`: what the tuned model answers in float64.
    images    [4, 3, height, width]
    logits    [4, K]
"""

import argparse
import shutil
import sys
from pathlib import Path

import peft
import timm
import torch
import transformers
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

from common import GOLDENS, generator, random_images, write  # noqa: E402
from gradients import single  # noqa: E402
from modulation import attach, site_modules  # noqa: E402

FOLDER = GOLDENS / "exchange"


@torch.no_grad()
def fill(model: torch.nn.Module, wanted, seed: int) -> None:
    """Gives the parameters that `wanted` picks by name values of their own."""
    for name, parameter in model.named_parameters():
        if wanted(name):
            parameter.copy_(single(0.2 * generator(seed, name).standard_normal(tuple(parameter.shape))))


def answer(name: str, model, size: tuple, seed: int, **details) -> None:
    images = random_images(4, size, seed, name)
    with torch.no_grad():
        logits = model.eval().double()(images.double())
    logits = getattr(logits, "logits", logits)
    write(FOLDER / f"{name}-logits.safetensors", {"images": images, "logits": logits}, seed, **details)


def save_peft(name: str, model, config: peft.LoraConfig, size: tuple, seed: int) -> None:
    model = peft.get_peft_model(model.float(), config)
    fill(model, lambda name: "lora_" in name or "modules_to_save" in name, seed)
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    # Where the base lies is no matter of the golden.
    model.peft_config["default"].base_model_name_or_path = None
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    for file in folder.iterdir():
        file.chmod(0o644)
    answer(name, model, size, seed, peft=peft.__version__)


REFERENCE = {
    "patch_embed.proj": "patch_embed.{}_1", "norm1": "{}_1", "norm2": "{}_2", "attn.qkv": "attn.{}_1",
    "attn.proj": "attn.{}_2", "mlp.fc1": "mlp.{}_1", "mlp.fc2": "mlp.{}_2", "norm": "{}_1",
}


def reference_name(site: str, kind: str) -> str:
    parts = site.split(".")
    block = ".".join(parts[:2]) + "." if parts[0] == "blocks" else ""
    return block + REFERENCE[site.removeprefix(block)].format(f"ssf_{kind}")


def save_reference(seed: int) -> None:
    model = timm.create_model(f"local-dir:{GOLDENS / 'gradients' / 'vit'}", pretrained=True).eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    modulation = {}
    for site, (_, width) in site_modules(model).items():
        for kind, centre in (("scale", 1.0), ("shift", 0.0)):
            value = single(centre + 0.1 * generator(seed, f"{site}.{kind}").standard_normal(width))
            state[reference_name(site, kind)] = value
            modulation[f"{site}.{kind}"] = value.double()
    attach(model, modulation)
    path = FOLDER / "reference.safetensors"
    save_file({name: value.contiguous() for name, value in state.items()}, path, metadata={"format": "pt"})
    path.chmod(0o644)
    answer("reference", model, (16, 16), seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)

    base = timm.create_model(f"local-dir:{GOLDENS / 'gradients' / 'vit'}", pretrained=True)
    save_peft("peft-timm", base,
              peft.LoraConfig(r=4, lora_alpha=6, target_modules=["qkv", "fc2"], modules_to_save=["head"]),
              (16, 16), seed)
    base = transformers.ViTForImageClassification.from_pretrained(GOLDENS / "huggingface" / "vit")
    size = base.config.image_size
    size = (size, size) if isinstance(size, int) else tuple(size)
    save_peft("peft-transformers", base,
              peft.LoraConfig(r=3, lora_alpha=3, target_modules=["q_proj", "v_proj"],
                              modules_to_save=["classifier"]), size, seed)
    save_reference(seed)


if __name__ == "__main__":
    main()
