import Foundation
import SSFTensors

/// Weights in formats that are not read here, and the command that converts each.
enum ForeignFormat {
    /// The error for a file, from its name's ending; `nil` where the name does not speak against it.
    static func refusal(of path: String) -> UserError? {
        let name = split(path).name.lowercased()
        let (folder, _) = split(path)
        let target = join(folder, "model.safetensors")
        if [".bin", ".pth", ".pt", ".ckpt", ".tar"].contains(where: name.hasSuffix) {
            return UserError(
                "\(path): a pickled PyTorch file is not read here, because reading one can run code",
                expected: "a .safetensors file",
                remedy: "convert it:\n" + pickleCommand(path, to: target))
        }
        if name.hasSuffix(".npz") {
            return UserError(
                "\(path): a .npz checkpoint is not read here", expected: "a .safetensors file",
                remedy: "convert it, with the architecture's name and class count put in:\n"
                    + npzCommand(path, to: target))
        }
        if [".h5", ".msgpack", ".onnx", ".tflite", ".ot", ".gguf"].contains(where: name.hasSuffix) {
            return UserError(
                "\(path): weights of this format are not read here", expected: "a .safetensors file",
                remedy: "take the model's safetensors file instead")
        }
        return nil
    }

    /// On one line each, so that it can be copied from a terminal. Unwraps the nestings that training programs put
    /// around a state dict.
    private static func pickleCommand(_ path: String, to target: String) -> String {
        command(
            installing: "torch safetensors",
            "import torch, safetensors.torch as s; "
                + "d = torch.load(\(pythonQuoted(path)), map_location=\"cpu\", weights_only=True); "
                + "d = next((d[k] for k in (\"state_dict_ema\", \"state_dict\", \"model\", \"teacher\") "
                + "if isinstance(d.get(k), dict)), d); "
                + "s.save_file({n: t.contiguous().clone() for n, t in d.items() if torch.is_tensor(t)}, "
                + "\(pythonQuoted(target)), metadata={\"format\": \"pt\"})")
    }

    private static func npzCommand(_ path: String, to target: String) -> String {
        command(
            installing: "timm safetensors",
            "import timm, safetensors.torch as s; "
                + "m = timm.create_model(\"vit_base_patch16_224\", num_classes=21843, "
                + "checkpoint_path=\(pythonQuoted(path))); "
                + "s.save_file(m.state_dict(), \(pythonQuoted(target)), metadata={\"format\": \"pt\"})")
    }

    private static func command(installing packages: String, _ python: String) -> String {
        "pip install \(packages) && python3 -c '" + python.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }

    private static func pythonQuoted(_ text: String) -> String { JSONValue.string(text).text }
}
