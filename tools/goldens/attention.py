#!/usr/bin/env python3
"""Goldens of attention maps: Tests/Goldens/attention/<form>.safetensors.

Each is made of a model and the two images of Tests/Goldens/vit/<form> (vit.py), in float64, and holds

    attention.<i>  [2, H, N, N]       probabilities in block i, as timm computes them (softmax before its dropout)
    class          [2, H, patches]    the class token's row of the last block: its patches
    rollout        [2, patches]       attention rollout (arXiv 2005.00928), its row of the class token, divided by its sum

`<form>-<kind>.safetensors` is the same with prompts (arXiv 2203.12119; `shallow` or `deep`) behind the prefix tokens:
`prompts.<i>` [1, n, C] are theirs, `logits` [2, K] what comes out, and N counts them. In `class` their columns are left
out and the row is divided by its new sum. The rollout is the product of all blocks' matrices over *all* that enters the
model, every prompt of every block as a token of its own; its columns of patches, divided by the sum of the columns that
are no prompts.
"""

import argparse

import numpy as np
import timm
import torch
from safetensors.torch import load_file

from common import GOLDENS, generator, write

FORMS = ["vit", "qk-norm", "deit-distilled", "dinov2-registers"]
PROMPTED = {"vit-shallow": ("vit", False), "dinov2-registers-deep": ("dinov2-registers", True)}
PROMPT_COUNT = 3


def load(form: str):
    folder = GOLDENS / "vit" / form
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval().double()
    model.load_state_dict({k: v.double() for k, v in load_file(folder / "model.safetensors").items()})
    return model, load_file(folder / "golden.safetensors")["images"].double()


def watched(model, probabilities: list) -> list:
    """Hooks that collect the probabilities of every block."""
    hooks = []
    for block in model.blocks:
        block.attn.fused_attn = False
        hooks.append(block.attn.attn_drop.register_forward_pre_hook(lambda _, inputs: probabilities.append(inputs[0])))
    return hooks


def rollout(matrices: list, images: int, prefix: int, prompts: int, fresh: bool):
    """The class token's row over the tokens that are no prompts, by products of whole matrices.

    `fresh`: the prompts of every block are inputs of the whole of their own, which are appended as columns.
    """
    count = matrices[0].shape[-1]
    kept = [i for i in range(count) if not prefix <= i < prefix + prompts]
    result = []
    for image in range(images):
        # Rows: tokens that enter a block; columns: everything that has entered the model so far.
        flow = np.eye(count)
        for index, matrix in enumerate(matrices):
            if fresh and index > 0:
                flow = np.concatenate([flow, np.zeros((count, prompts))], axis=1)
                flow[prefix:prefix + prompts] = 0
                flow[prefix:prefix + prompts, -prompts:] = np.eye(prompts)
            mean = matrix[image].mean(0).numpy()
            mixed = 0.5 * mean + 0.5 * np.eye(count)
            flow = mixed / mixed.sum(-1, keepdims=True) @ flow
        row = flow[0, kept]
        result.append((row / row.sum())[prefix:])
    return np.stack(result)


def answers(probabilities: list, prefix: int, prompts: int, fresh: bool) -> dict:
    last = probabilities[-1][:, :, 0]
    kept = torch.cat([last[..., :prefix], last[..., prefix + prompts:]], dim=-1)
    return {f"attention.{i}": matrix for i, matrix in enumerate(probabilities)} | {
        "class": (kept / kept.sum(-1, keepdim=True))[..., prefix:],
        "rollout": rollout(probabilities, len(last), prefix, prompts, fresh),
    }


@torch.no_grad()
def make(form: str, seed: int) -> None:
    model, images = load(form)
    probabilities = []
    watched(model, probabilities)
    model(images)
    write(GOLDENS / "attention" / f"{form}.safetensors",
          answers(probabilities, model.num_prefix_tokens, 0, False), seed, form=form)


@torch.no_grad()
def make_prompted(name: str, seed: int) -> None:
    form, is_deep = PROMPTED[name]
    model, images = load(form)
    prefix = model.num_prefix_tokens
    probabilities = []
    watched(model, probabilities)
    found = {}
    x = model.norm_pre(model.patch_drop(model._pos_embed(model.patch_embed(images))))
    for index, block in enumerate(model.blocks):
        if index == 0 or is_deep:
            noise = generator(seed, f"{name} prompts {index}").standard_normal((1, PROMPT_COUNT, x.shape[-1]))
            prompts = found[f"prompts.{index}"] = torch.from_numpy(noise.astype(np.float32)).double()
            rest = x[:, prefix + (PROMPT_COUNT if index else 0):]
            x = torch.cat([x[:, :prefix], prompts.expand(len(x), -1, -1), rest], dim=1)
        x = block(x)
    x = torch.cat([x[:, :prefix], x[:, prefix + PROMPT_COUNT:]], dim=1)
    found["logits"] = model.forward_head(model.norm(x))
    write(GOLDENS / "attention" / f"{name}.safetensors",
          found | answers(probabilities, prefix, PROMPT_COUNT, is_deep), seed, form=form)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for form in FORMS:
        make(form, arguments.seed)
    for name in PROMPTED:
        make_prompted(name, arguments.seed)


if __name__ == "__main__":
    main()
