#!/usr/bin/env python3
"""Golden of timm's vision-transformer name table: Tests/Goldens/architectures.json.

A timm checkpoint names its architecture and says little else: the head count, the LayerNorm eps and the activation
follow from that name and cannot be seen in the tensors. This lists them for every architecture of timm's
`vision_transformer` and `deit` modules, and whether it is a form this project covers:

    {"versions": {...}, "architectures": {name: {
        "width", "depth", "heads", "patch_size", "image_size": [height, width], "mlp_width", "eps",
        "global_pool", "class_token", "distilled", "registers", "no_embed_class", "norm_pre", "fc_norm",
        "layer_scale", "qkv_bias", "qk_norm",
        "uncovered": null or what makes it another form (its activation, MLP, block, norm or pooling)}}}

Uncovered architectures whose tensors look like a covered one's (QuickGELU, tanh-GELU) would load and answer wrongly.
"""

import json

import timm
from timm.models.deit import VisionTransformerDistilled

from common import GOLDENS


def uncovered(model) -> str | None:
    block = model.blocks[0]
    kinds = {"block": (block, "Block"), "norm": (getattr(block, "norm1", None), "LayerNorm"),
             "attention": (getattr(block, "attn", None), "Attention"), "mlp": (getattr(block, "mlp", None), "Mlp"),
             "activation": (getattr(getattr(block, "mlp", None), "act", None), "GELU")}
    for what, (module, expected) in kinds.items():
        found = type(module).__name__
        if found != expected:
            return f"{what} {found}"
    if model.global_pool not in ("token", "avg"):
        return f"pooling {model.global_pool}"
    for name in ("attn.norm", "mlp.norm"):
        if type(block.get_submodule(name)).__name__ != "Identity":
            return f"norm inside {name.split('.')[0]}"
    return None


def describe(model) -> dict:
    block = model.blocks[0]
    reason = uncovered(model)
    facts = {
        "width": model.embed_dim,
        "depth": len(model.blocks),
        "patch_size": model.patch_embed.patch_size[0],
        "image_size": list(model.patch_embed.img_size),
        "global_pool": model.global_pool,
        "class_token": model.cls_token is not None,
        "distilled": isinstance(model, VisionTransformerDistilled),
        "registers": model.num_reg_tokens,
        "no_embed_class": model.no_embed_class,
        "norm_pre": type(model.norm_pre).__name__ != "Identity",
        "fc_norm": type(model.fc_norm).__name__ != "Identity",
        "uncovered": reason,
    }
    if reason is None or not reason.startswith("block"):
        facts |= {
            "heads": block.attn.num_heads,
            "mlp_width": block.mlp.fc1.out_features if hasattr(block.mlp, "fc1") else None,
            "eps": block.norm1.eps,
            "layer_scale": type(block.ls1).__name__ != "Identity",
            "qkv_bias": block.attn.qkv.bias is not None,
            "qk_norm": type(block.attn.q_norm).__name__ != "Identity",
        }
    return dict(sorted(facts.items()))


def main() -> None:
    names = sorted(timm.list_models(module="vision_transformer") + timm.list_models(module="deit"))
    table = {name: describe(timm.create_model(name, device="meta")) for name in names}
    lines = [f"  {json.dumps(name)}: {json.dumps(facts)}" for name, facts in table.items()]
    path = GOLDENS / "architectures.json"
    path.write_text('{"versions": ' + json.dumps({"timm": timm.__version__}) + ',\n "architectures": {\n'
                    + ",\n".join(lines) + "\n}}\n")
    json.loads(path.read_text())
    covered = sum(facts["uncovered"] is None for facts in table.values())
    print(f"{path.name}: {len(table)} architectures, {covered} covered, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
