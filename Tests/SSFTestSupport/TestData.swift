import Foundation
import Testing

/// The real weights and images, which are not part of the project: `../shared/data` from its root, or the folder that
/// the environment variable `SSF_TEST_DATA` names.
///
/// A test that needs some of it says so, and is reported as skipped where it is not there:
///
///     @Test(.needsData("models/vit_tiny_tin200")) func logitsOfTheRealModel() throws { ... }
public enum TestData {
    /// The folder, whether it exists or not.
    public static let root: URL = {
        if let path = ProcessInfo.processInfo.environment["SSF_TEST_DATA"], !path.isEmpty { return URL(filePath: path) }
        return ProjectFolder.url.deletingLastPathComponent().appending(path: "shared/data")
    }()

    /// Whether the environment names the folder.
    public static let isNamed = ProcessInfo.processInfo.environment["SSF_TEST_DATA"]?.isEmpty == false

    /// Whether a file or folder of the data is there.
    public static func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url(name).path) }

    public static func url(_ name: String) -> URL { root.appending(path: name) }

    public static func path(_ name: String) -> String { url(name).path }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test, with the reason, where one of the named parts of `TestData` is not there.
    public static func needsData(_ names: String...) -> Self {
        let missing = names.filter { !TestData.has($0) }
        return .enabled(
            if: missing.isEmpty,
            Comment(rawValue: "needs \(missing.joined(separator: ", ")) in \(TestData.root.path), or SSF_TEST_DATA"))
    }
}
