"""What the golden scripts share: seeded weights, the folder layout, and how a golden file is written.

A golden is a safetensors file of float32 (and int32) tensors computed in float64. Its metadata has one entry,
`golden`, a JSON object with the script, the seed, the versions and the hyper-parameters. One entry, because
safetensors writes several in an order that changes from run to run, and a golden made again must not differ.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch

GOLDENS = Path(__file__).resolve().parents[2] / "Tests" / "Goldens"

LABEL_NAMES = ["ant", "bee", "cicada", "dragonfly", "earwig"]


def generator(seed: int, name: str) -> np.random.Generator:
    """A stream of its own for every name, so that adding a tensor leaves all others as they were."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def random_parameter(name: str, shape: tuple, seed: int) -> np.ndarray:
    """Values for the parameter `name` that leave nothing trivially 0 or 1 and keep activations near unit size."""
    noise = generator(seed, name).standard_normal(shape)
    if len(shape) >= 2 and name.endswith(".weight"):
        return noise / np.sqrt(np.prod(shape[1:]))
    if name.endswith((".gamma", ".lambda1")):  # LayerScale, in timm's and in Hugging Face's spelling
        return 0.6 + 0.2 * noise
    if name.endswith(".weight"):  # norms
        return 1 + 0.2 * noise
    if name.endswith(".bias"):
        return 0.2 * noise
    return 0.5 * noise  # tokens and position embeddings


@torch.no_grad()
def randomize(model: torch.nn.Module, seed: int) -> None:
    """Gives every parameter of a float32 model a value drawn from its name and `seed`."""
    for name, parameter in model.named_parameters():
        parameter.copy_(torch.from_numpy(random_parameter(name, tuple(parameter.shape), seed)))


def random_images(count: int, size: tuple, seed: int, name: str = "images") -> torch.Tensor:
    """Normalised images [count, 3, height, width], float32: noise on a gradient, so that positions differ."""
    height, width = size
    noise = generator(seed, f"{name} {count}x{height}x{width}").standard_normal((count, 3, height, width))
    slope = np.linspace(-1, 1, height)[:, None] + np.linspace(-0.5, 0.5, width)[None, :]
    return torch.from_numpy((0.8 * noise + slope).astype(np.float32))


def write(path: Path, tensors: dict, seed: int, **details) -> None:
    """Writes a golden: float64 becomes float32, integers become int32."""
    import timm
    import transformers

    arrays = {}
    for name, value in tensors.items():
        array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
        kind = np.int32 if np.issubdtype(array.dtype, np.integer) else np.float32
        # Not ascontiguousarray, which would turn a scalar into a vector.
        arrays[name] = array.astype(kind, order="C")
    metadata = {
        "script": f"tools/goldens/{Path(sys.argv[0]).name}",
        "seed": seed,
        "torch": torch.__version__,
        "timm": timm.__version__,
        "transformers": transformers.__version__,
        "numpy": np.__version__,
        **details,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.numpy.save_file(arrays, path, metadata={"golden": json.dumps(metadata, sort_keys=True)})
    path.chmod(0o644)
    print(f"{path.relative_to(GOLDENS.parent)}: {len(arrays)} tensors, {path.stat().st_size:,} bytes")


def save_timm(model: torch.nn.Module, folder: Path, data_config: dict | None = None) -> None:
    """Saves a float32 model as timm's own exporter does: `model.safetensors` and `config.json`."""
    from timm.models import save_for_hf

    config = {"label_names": LABEL_NAMES[: model.num_classes]} if model.num_classes else {}
    save_for_hf(model, str(folder), model_config=config, safe_serialization=True, data_config=data_config)
    (folder / "model.safetensors").chmod(0o644)
