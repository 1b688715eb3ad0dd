import Foundation
import SSFTensors

/// A folder per class, with or without split folders above: `train/cat/1.jpg` or `cat/1.jpg`.
///
/// Classes are the folders' names in natural order. Images may lie in folders within a class. Files that are not images
/// by name and by content are left out and counted.
enum FolderLayout: DatasetLayout {
    static let form = "a folder per class, alone or inside train, val and test"

    /// Deeper than anybody nests images within a class.
    private static let depthLimit = 8

    static func recognises(_ location: String) -> Bool {
        guard FileSystem.isDirectory(location) else { return false }
        // What cannot be listed is opened nevertheless, for the sake of its error.
        guard let folders = try? FileSystem.subfolders(location) else { return true }
        return !folders.isEmpty
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
        let stray = try ([location] + splitNames.map { FileSystem.join(location, $0) }).reduce(0) {
            try $0 + strayImages($1)
        }
        if stray > 0 {
            notes.append(
                "\(stray) image\(stray == 1 ? "" : "s") beside the class folders left out: the folder says the class")
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
            try collect(FileSystem.join(root, folder), label: label, above: [], into: &items, ignored: &ignored)
            guard items.count > before else {
                throw UserError(
                    "\(FileSystem.join(root, folder)) has no images",
                    expected: "at least one image of the class \(folder)",
                    remedy: "add images or remove the folder")
            }
        }
        return ImageDataset(name: name, classes: classes, items: items)
    }

    /// Images by name that lie in a folder itself, where no folder says their class.
    private static func strayImages(_ folder: String) throws -> Int {
        try FileSystem.list(folder).count {
            ImageFormat.fileExtensions.contains(FileSystem.fileExtension($0))
                && FileSystem.isFile(FileSystem.join(folder, $0))
        }
    }

    /// Adds the images of a folder and of those within it; `above` are the identities of the folders it lies in, the
    /// class's first.
    private static func collect(
        _ folder: String, label: Int, above: [[UInt64]], into items: inout [ImageItem], ignored: inout Int
    ) throws {
        let identity = FileSystem.identity(folder)
        if let identity, above.contains(identity) {
            throw UserError(
                "\(folder) is a link to a folder that it lies in", expected: "folders that end",
                remedy: "remove the link")
        }
        guard above.count <= depthLimit else {
            throw UserError("\(folder) is nested too deeply", expected: "at most \(depthLimit) folders within a class")
        }
        for name in try FileSystem.list(folder) {
            let path = FileSystem.join(folder, name)
            if ImageFormat.fileExtensions.contains(FileSystem.fileExtension(name)) {
                items.append(ImageItem(source: .file(path), label: label))
            } else if FileSystem.isDirectory(path) {
                try collect(
                    path, label: label, above: above + [identity ?? []], into: &items, ignored: &ignored)
            } else if beginsAsImage(path) {
                items.append(ImageItem(source: .file(path), label: label))
            } else {
                ignored += 1
            }
        }
    }

    /// Whether a file without an image's name is an image by its first bytes.
    private static func beginsAsImage(_ path: String) -> Bool {
        // A named pipe would be waited for.
        guard FileSystem.isFile(path), let file = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? file.close() }
        guard let header = try? file.read(upToCount: ImageFormat.headerLength) else { return false }
        return header.withUnsafeBytes { ImageFormat($0) != nil }
    }
}
