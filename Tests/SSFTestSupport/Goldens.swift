import Foundation
import SSFCheckpoints
import SSFTensors

/// The checked-in files of expected values, `Tests/Goldens/<topic>/...`, made by `tools/goldens/`.
public enum Goldens {
    /// `Tests/Goldens`, found from this file's place in the source tree.
    public static let root = ProjectFolder.url.appending(path: "Tests/Goldens")

    /// A golden file or folder, such as `vit/tiny.safetensors`.
    ///
    /// - Precondition: it exists; a missing golden is a mistake in the source tree, not a reason to skip.
    public static func url(_ name: String) -> URL {
        let url = root.appending(path: name)
        precondition(FileManager.default.fileExists(atPath: url.path), "there is no golden \(name)")
        return url
    }

    /// The path of a golden, for what takes paths.
    public static func path(_ name: String) -> String { url(name).path }

    /// The tensors of a golden `.safetensors` file.
    public static func tensors(_ name: String) throws -> [String: Tensor] {
        try Safetensors.read(path(name)).tensors
    }

    /// The arrays of a golden `.npz` file.
    public static func arrays(_ name: String) throws -> [String: Tensor] {
        try NPZ.read(path(name))
    }
}

/// The root of the project's source tree.
enum ProjectFolder {
    static let url = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()
}
