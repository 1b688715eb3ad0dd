"""Scale and shift (SSF) on an untouched timm vision transformer, by forward hooks, and what each tuning method trains.

The sites, in order, and the place of each scale-and-shift are those of the SSF reference implementation: after the
patch embedding's projection (before the class token and the position embedding), in every block after norm1, attn.qkv,
attn.proj, norm2, mlp.fc1 and mlp.fc2, and after the final norm.
"""

import torch


def site_modules(model: torch.nn.Module) -> dict:
    """site name -> (the module whose output is modulated, the site's width)."""
    # patch_embed.proj gives [B, C, height, width]; the embedding's own output is the same as tokens.
    sites = {"patch_embed.proj": (model.patch_embed, model.embed_dim)}
    for index, block in enumerate(model.blocks):
        for name in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2"):
            module = block.get_submodule(name)
            width = module.out_features if isinstance(module, torch.nn.Linear) else model.embed_dim
            sites[f"blocks.{index}.{name}"] = (module, width)
    sites["norm"] = (model.norm, model.embed_dim)
    return sites


def attach(model: torch.nn.Module, scales_and_shifts: dict) -> None:
    """Modulates the model's sites by the parameters `<site>.scale` and `<site>.shift` of the dictionary."""
    for site, (module, _) in site_modules(model).items():
        scale, shift = scales_and_shifts[f"{site}.scale"], scales_and_shifts[f"{site}.shift"]
        module.register_forward_hook(lambda _, __, output, scale=scale, shift=shift: output * scale + shift)


def trainables(model: torch.nn.Module, method: str, scales_and_shifts: dict | None = None) -> dict:
    """Freezes and unfreezes the model for `method` and gives name -> parameter of what trains.

    `ssf` takes the scales and shifts (parameters named as in `attach`) and attaches them.
    """
    model.requires_grad_(method == "full")
    model.head.requires_grad_(True)
    if method == "full":
        return dict(model.named_parameters())
    head = {"head.weight": model.head.weight, "head.bias": model.head.bias}
    if method == "linear":
        return head
    if method == "ssf":
        attach(model, scales_and_shifts)
        return {**scales_and_shifts, **head}
    raise ValueError(f"no method {method}: ssf, linear, full")
