#!/usr/bin/env python3
"""Loads a model folder in stock timm, strictly, and predicts with it.

    check_timm.py FOLDER IMAGES... [--output logits.json]
    check_timm.py FOLDER --compare predictions.json [IMAGES...]

The folder must load through timm's `local-dir:` with no missing, unexpected or misshapen tensor; the images (files, or
folders of files) go through the folder's own preprocessing, as timm builds it from config.json. Prints JSON:
[{"file", "logits", "top": [{"index", "label", "probability"}]}].

`--compare` reads what `ssf predict --format json` printed, takes its files where no images are given (relative to the
current folder), and checks that every probability it lists agrees within `--tolerance` and that the first class is the
same. Exit codes: 0 they agree, 1 the folder or an image does not load, 2 they differ.
"""

import argparse
import json
import sys
from pathlib import Path

import timm
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file
from timm.data import create_transform, resolve_data_config

SUFFIXES = {".png", ".jpg", ".jpeg"}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("images", type=Path, nargs="*")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="output of ssf predict --format json")
    parser.add_argument("--tolerance", type=float, default=2e-3,
                        help="largest difference of a probability (default 2e-3: two resizers may differ by 1/255)")
    parser.add_argument("--topk", type=int, default=5)
    parser.add_argument("--exif-orientation", choices=["ignore", "apply"], default="ignore")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON here instead of to stdout")
    arguments = parser.parse_args()
    if not arguments.images and not arguments.compare:
        parser.error("no images: give files or folders, or --compare with a list of predictions")
    return arguments


def load(folder: Path) -> torch.nn.Module:
    """timm's model of the folder, checked tensor by tensor against its file."""
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    stored, wanted = load_file(folder / "model.safetensors"), model.state_dict()
    problems = [f"missing {name}" for name in wanted.keys() - stored.keys()]
    problems += [f"unexpected {name}" for name in stored.keys() - wanted.keys()]
    for name in stored.keys() & wanted.keys():
        if stored[name].shape != wanted[name].shape:
            problems.append(f"{name} is {list(stored[name].shape)}, timm wants {list(wanted[name].shape)}")
        elif not torch.equal(stored[name].to(wanted[name].dtype), wanted[name]):
            problems.append(f"{name} was changed while loading")
    if problems:
        sys.exit(f"{folder} does not load in timm {timm.__version__} as it is:\n  " + "\n  ".join(sorted(problems)))
    return model


def files_of(paths: list) -> list:
    """The files named, and the images inside the folders named."""
    files = []
    for path in paths:
        inside = (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        files.extend(sorted(inside) if path.is_dir() else [path])
    return files


@torch.no_grad()
def predict(model: torch.nn.Module, folder: Path, files: list, topk: int, orientation: str) -> list:
    transform = create_transform(**resolve_data_config({}, model=model), is_training=False)
    labels = json.loads((folder / "config.json").read_text()).get("label_names") or []
    predictions = []
    for file in files:
        try:
            with Image.open(file) as image:
                upright = ImageOps.exif_transpose(image) if orientation == "apply" else image
                pixels = transform(upright.convert("RGB"))
        except OSError as error:
            sys.exit(f"{file}: {error}")
        logits = model(pixels[None])[0]
        values, indices = logits.softmax(0).topk(min(topk, len(logits)))
        predictions.append({
            "file": str(file),
            "logits": logits.tolist(),
            "top": [{"index": index, "label": labels[index] if labels else str(index), "probability": value}
                    for index, value in zip(indices.tolist(), values.tolist())],
        })
    return predictions


def compare(ours: list, theirs: list, tolerance: float) -> int:
    """The exit code. `ours` is the file of `ssf predict`, `theirs` timm's predictions."""
    by_file = {str(Path(item["file"])): item for item in ours}
    largest, wrong = 0.0, []
    for item in theirs:
        listed = by_file.get(item["file"])
        if listed is None:
            wrong.append(f"{item['file']}: no prediction of ours")
            continue
        probabilities = torch.tensor(item["logits"]).softmax(0)
        differences = [abs(entry["probability"] - probabilities[entry["index"]].item()) for entry in listed["top"]]
        largest = max([largest, *differences])
        first, expected = listed["top"][0], item["top"][0]
        close = expected["probability"] - probabilities[first["index"]].item() <= tolerance
        if max(differences) > tolerance or not close or (
                first["index"] == expected["index"] and first["label"] != expected["label"]):
            wrong.append(f"{item['file']}: {first['label']} {first['probability']:.4f}, "
                         f"timm says {expected['label']} {expected['probability']:.4f}")
    print(f"{len(theirs)} images against timm {timm.__version__}, torch {torch.__version__}: "
          f"largest difference of a probability {largest:.2e}, {len(wrong)} outside {tolerance:g}", file=sys.stderr)
    for line in wrong[:20]:
        print("  " + line, file=sys.stderr)
    return 2 if wrong else 0


def main() -> None:
    arguments = parse()
    model = load(arguments.folder)
    print(f"{arguments.folder} loads in timm {timm.__version__}: {len(model.state_dict())} tensors, none missing, "
          "unexpected or changed", file=sys.stderr)
    ours = json.loads(arguments.compare.read_text()) if arguments.compare else []
    files = files_of(arguments.images) or [Path(item["file"]) for item in ours]
    predictions = predict(model, arguments.folder, files, arguments.topk, arguments.exif_orientation)
    text = json.dumps(predictions, indent=1)
    if arguments.output:
        arguments.output.write_text(text + "\n")
    elif not arguments.compare:
        print(text)
    sys.exit(compare(ours, predictions, arguments.tolerance) if arguments.compare else 0)


if __name__ == "__main__":
    main()
