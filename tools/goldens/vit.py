#!/usr/bin/env python3
"""Goldens of timm's ViT forms: Tests/Goldens/vit/<form>/{config.json,model.safetensors,golden*.safetensors}.

Every form is a tiny model with random weights under an architecture name that timm knows, in timm's local-dir layout.
`golden.safetensors` holds, computed in float64:

    images    [2, 3, height, width]  normalised input
    embedded  [2, N, C]              tokens that enter the first block, prefix tokens first
    block.<i> [2, N, C]              tokens that leave block i
    features  [2, N, C]              tokens after the final norm (the same as the last block where there is none)
    pooled    [2, C]                 input of the head (mean of both heads' inputs in the distilled form)
    logits    [2, K]                 the head's output; absent in the head-less form

`golden-<height>x<width>.safetensors` are the same checkpoint at another input size, with the position embedding resized
by timm (bicubic, antialiased, computed in float32), and further hold

    pos_embed                [1, P, C]  as timm resizes it
    pos_embed_no_antialias   [1, P, C]  the same without antialiasing, as timm 0.6.5 and the SSF reference do it
"""

import argparse
from pathlib import Path

import timm
import torch
from timm.layers import resample_abs_pos_embed

from common import GOLDENS, random_images, randomize, save_timm, write

# Input size, patch size, width, depth and heads of a form that does not say otherwise.
SMALL = dict(img_size=16, patch_size=4, embed_dim=24, depth=2, num_heads=3, num_classes=5)

# form: (architecture, what differs from SMALL, other input sizes to run at)
FORMS = {
    "vit": ("vit_tiny_patch16_224", {}, []),
    "augreg": ("vit_small_patch32_224", dict(img_size=24, patch_size=8, depth=3, num_heads=2), []),
    "deit": ("deit_tiny_patch16_224", dict(num_heads=2), []),
    "deit-distilled": ("deit_tiny_distilled_patch16_224", {}, [(24, 12)]),
    "deit3": ("deit3_small_patch16_224", {}, [(8, 20)]),
    # The DINOv2 patch is odd, and so is this one. The SwiGLU form (ViT-g) is not covered.
    "dinov2": ("vit_small_patch14_dinov2", dict(img_size=21, patch_size=7), []),
    "dinov2-registers": ("vit_small_patch14_reg4_dinov2", dict(img_size=21, patch_size=7), [(14, 28)]),
    # MAE's fine-tuning form: mean of the patch tokens, then fc_norm; the final norm is absent.
    "mae": ("vit_base_patch16_224", dict(global_pool="avg"), []),
    # Final norm first, then the mean of the patch tokens without the class token.
    "average": ("vit_base_patch16_224", dict(global_pool="avg", fc_norm=False), []),
    # norm_pre, no bias in the patch embedding, LayerNorm eps 1e-5 by the architecture's definition.
    "clip": ("vit_base_patch16_clip_224", {}, []),
    "no-class-token": ("vit_base_patch16_224", dict(class_token=False, global_pool="avg"), [(24, 24)]),
    "no-class-token-norm": ("vit_base_patch16_gap_224", {}, []),
    # Registers without a class token, no qkv bias, LayerScale, mean pooling.
    "registers-average": ("vit_medium_patch16_reg4_gap_256", {}, []),
    "no-qkv-bias": ("vit_tiny_patch16_224", dict(qkv_bias=False), []),
    "qk-norm": ("vit_tiny_patch16_224", dict(qk_norm=True), []),
    "mlp-ratio": ("vit_tiny_patch16_224", dict(mlp_ratio=2.5), []),
    "headless": ("vit_tiny_patch16_224", dict(num_classes=0), []),
    "resize": ("vit_tiny_patch16_224", dict(img_size=24, embed_dim=32, num_heads=2), [(16, 16), (12, 20), (32, 28)]),
    "rectangular": ("vit_tiny_patch16_224", dict(img_size=(24, 16)), [(16, 24), (12, 12)]),
}


@torch.no_grad()
def trace(model: torch.nn.Module, images: torch.Tensor) -> dict:
    """The tensors of a golden, from a model in float64."""
    found = {"images": images}
    hooks = [model.blocks[0].register_forward_pre_hook(lambda _, inputs: found.update(embedded=inputs[0]))]
    for index, block in enumerate(model.blocks):
        name = f"block.{index}"
        hooks.append(block.register_forward_hook(lambda _, __, output, name=name: found.update({name: output})))
    features = model.forward_features(images.double())
    for hook in hooks:
        hook.remove()
    found["features"] = features
    found["pooled"] = model.forward_head(features, pre_logits=True)
    if model.num_classes:
        found["logits"] = model.forward_head(features)
    return found


def make(form: str, seed: int, output: Path) -> None:
    architecture, changes, sizes = FORMS[form]
    arguments = SMALL | changes
    folder = output / form
    model = timm.create_model(architecture, **arguments).eval()
    randomize(model, seed)
    if isinstance(model.norm_pre, torch.nn.LayerNorm):
        # Embeddings of variance near eps, so that norm_pre with any other eps than the architecture's is seen at once.
        with torch.no_grad():
            for parameter in (model.patch_embed.proj.weight, model.cls_token, model.pos_embed):
                parameter.mul_(0.01)
    save_timm(model, folder)

    size = model.patch_embed.img_size
    write(folder / "golden.safetensors", trace(model.double(), random_images(2, size, seed)), seed,
          form=form, architecture=architecture, arguments=arguments)

    prefix = 0 if model.no_embed_class else model.num_prefix_tokens
    for size in sizes:
        # Through the folder, as a user of timm would load it.
        resized = timm.create_model(f"local-dir:{folder}", pretrained=True, img_size=size).eval()
        plain = resample_abs_pos_embed(
            model.pos_embed.float(), new_size=list(resized.patch_embed.grid_size),
            old_size=list(model.patch_embed.grid_size), num_prefix_tokens=prefix, antialias=False)
        extra = {"pos_embed": resized.pos_embed, "pos_embed_no_antialias": plain}
        write(folder / f"golden-{size[0]}x{size[1]}.safetensors",
              trace(resized.double(), random_images(2, size, seed)) | extra, seed,
              form=form, architecture=architecture, arguments=arguments, resized_to=size)

    check(form, folder, model)


@torch.no_grad()
def check(form: str, folder: Path, model: torch.nn.Module) -> None:
    """What was written loads in stock timm, strictly, and gives the golden's output."""
    from safetensors.torch import load_file

    golden = load_file(folder / "golden.safetensors")
    loaded = timm.create_model(f"local-dir:{folder}", pretrained=True).eval().double()
    loaded.load_state_dict({k: v.double() for k, v in load_file(folder / "model.safetensors").items()}, strict=True)
    result = loaded(golden["images"].double())
    expected = golden["logits" if model.num_classes else "pooled"]
    difference = (result - expected).abs().max().item()
    assert difference < 1e-6, f"{form}: differs by {difference}"
    for file in folder.iterdir():
        assert file.stat().st_size < 150_000, f"{file} is too big to check in"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("forms", nargs="*", metavar="FORM", help="default: all of them")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if unknown := set(arguments.forms) - set(FORMS):
        parser.error(f"unknown form {', '.join(sorted(unknown))}; there are {', '.join(FORMS)}")
    torch.set_num_threads(1)
    for form in arguments.forms or FORMS:
        make(form, arguments.seed, GOLDENS / "vit")


if __name__ == "__main__":
    main()
