import Foundation
import SSFTensors

/// A folder per class, with or without split folders above: `train/cat/1.jpg` or `cat/1.jpg`.
///
/// Classes are the folders' names in natural order. Images may lie in folders within a class. Files that are not images
/// by name and by content are left out and counted.
enum FolderLayout: DatasetLayout {
    static let form = "a folder per class, alone or inside train, val and test"

    /// Deeper than anybody nests images within a class; ends the walk of a folder that links to itself.
    private static let depthLimit = 8

    static func recognises(_ location: String) -> Bool {
        FileSystem.isDirectory(location) && (try? FileSystem.subfolders(location))?.isEmpty == false
    }

    static func open(_ location: String) throws -> DatasetCollection {
        guard FileSystem.isDirectory(location) else {
            throw UserError("\(location) is not a folder", expected: form)
        }
        let folders = try FileSystem.subfolders(location)
        guard !folders.isEmpty else {
            throw UserError("\(location) has no class folders", expected: form)
        }
        // `train` is a split if there are folders in it; a class may be called train as well.
        let splitNames = try folders.filter { name in
            try SplitRole(name) != nil && !FileSystem.subfolders(FileSystem.join(location, name)).isEmpty
        }
        var notes: [String] = []
        var ignored = 0
        let splits: [ImageDataset]
        if splitNames.isEmpty {
            splits = [
                try read(location, name: "all", classes: folders, ignored: &ignored)
            ]
        } else {
            let others = folders.filter { !splitNames.contains($0) }
            if !others.isEmpty {
                notes.append("folders that are no splits are left out: \(others.joined(separator: ", "))")
            }
            let classLists = try splitNames.map { try FileSystem.subfolders(FileSystem.join(location, $0)) }
            // The training split says what the classes are; the others must agree.
            let reference = splitNames.firstIndex { SplitRole($0) == .train } ?? 0
            for (name, list) in zip(splitNames, classLists) where list != classLists[reference] {
                let missing = classLists[reference].filter { !list.contains($0) }
                let extra = list.filter { !classLists[reference].contains($0) }
                throw UserError(
                    "\(location): the classes of \(name) differ from those of \(splitNames[reference])",
                    expected: "\(classLists[reference].count) class folders",
                    found: [
                        missing.isEmpty ? nil : "without \(missing.joined(separator: ", "))",
                        extra.isEmpty ? nil : "besides \(extra.joined(separator: ", "))",
                    ].compactMap { $0 }.joined(separator: "; "),
                    remedy: "give every split the same class folders")
            }
            splits = try splitNames.map {
                try read(
                    FileSystem.join(location, $0), name: $0, classes: classLists[reference], ignored: &ignored)
            }
        }
        if ignored > 0 { notes.append("\(ignored) file\(ignored == 1 ? "" : "s") that are no images left out") }
        return DatasetCollection(
            location: location, format: .folder, classes: splits[0].classes, splits: splits, notes: notes)
    }

    private static func read(
        _ root: String, name: String, classes: [String], ignored: inout Int
    ) throws -> ImageDataset {
        var items: [ImageItem] = []
        for (label, folder) in classes.enumerated() {
            let before = items.count
            try collect(FileSystem.join(root, folder), label: label, depth: 0, into: &items, ignored: &ignored)
            guard items.count > before else {
                throw UserError(
                    "\(FileSystem.join(root, folder)) has no images",
                    expected: "at least one image of the class \(folder)",
                    remedy: "add images or remove the folder")
            }
        }
        return ImageDataset(name: name, classes: classes, items: items)
    }

    private static func collect(
        _ folder: String, label: Int, depth: Int, into items: inout [ImageItem], ignored: inout Int
    ) throws {
        guard depth <= depthLimit else {
            throw UserError("\(folder) is nested too deeply", expected: "at most \(depthLimit) folders within a class")
        }
        for name in try FileSystem.list(folder) {
            let path = FileSystem.join(folder, name)
            if ImageFormat.fileExtensions.contains(FileSystem.fileExtension(name)) {
                items.append(ImageItem(source: .file(path), label: label))
            } else if FileSystem.isDirectory(path) {
                try collect(path, label: label, depth: depth + 1, into: &items, ignored: &ignored)
            } else if beginsAsImage(path) {
                items.append(ImageItem(source: .file(path), label: label))
            } else {
                ignored += 1
            }
        }
    }

    /// Whether a file without an image's name is an image by its first bytes.
    private static func beginsAsImage(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        guard let header = try? file.read(upToCount: ImageFormat.headerLength) else { return false }
        return header.withUnsafeBytes { ImageFormat($0) != nil }
    }
}
