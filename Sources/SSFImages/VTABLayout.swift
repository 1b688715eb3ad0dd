import Foundation
import SSFTensors

/// VTAB-1k lists: text files such as `train800val200.txt` and `test.txt` with lines `images/test/000000.jpg 7`.
///
/// Paths are relative to the folder. Class names come from `classes.json` (`{"classes": [...]}`) where there is one;
/// otherwise the labels are the names, up to the highest in any list.
enum VTABLayout: DatasetLayout {
    static let form = "a folder with train800val200.txt, test.txt (lines: path label)"

    private static let lists = ["train800val200", "train800", "val200", "train", "val", "test"]

    static func recognises(_ location: String) -> Bool {
        lists.contains { FileSystem.isFile(FileSystem.join(location, $0 + ".txt")) }
    }

    static func open(_ location: String) throws -> DatasetCollection {
        let names = try classNames(FileSystem.join(location, "classes.json"))
        var splits: [(name: String, list: String, items: [ImageItem])] = []
        for name in lists {
            let list = FileSystem.join(location, name + ".txt")
            guard FileSystem.isFile(list) else { continue }
            splits.append((name, list, try read(list, folder: location, classes: names)))
        }
        guard !splits.isEmpty else {
            throw UserError(
                "\(location) has no image lists", expected: "train800val200.txt and test.txt, or other VTAB-1k lists")
        }
        let highest = splits.flatMap { $0.items.map { Int($0.label) } }.max() ?? 0
        let classes = names ?? (0...highest).map(String.init)
        return DatasetCollection(
            location: location, format: .vtab, classes: classes,
            splits: splits.map { ImageDataset(name: $0.name, classes: classes, items: $0.items, list: $0.list) })
    }

    private static func read(_ list: String, folder: String, classes: [String]?) throws -> [ImageItem] {
        var items: [ImageItem] = []
        for (index, line) in try FileSystem.lines(list).enumerated() {
            let text = line.trimmingCharacters(in: .whitespaces)
            if text.isEmpty { continue }
            // The label is the last word, so that a path may have spaces.
            guard let space = text.lastIndex(where: { $0 == " " || $0 == "\t" }) else {
                throw UserError("\(list), line \(index + 1): no label", expected: "path label", found: text)
            }
            let word = text[text.index(after: space)...]
            guard let label = Int(word) else {
                throw UserError(
                    "\(list), line \(index + 1): the label is no whole number", expected: "path label, as in a.png 7",
                    found: String(word),
                    remedy: "number the classes from 0 and name them in classes.json, or write a CSV list")
            }
            try ClassLabel.check(label, classes: classes, at: "\(list), line \(index + 1)")
            let path = text[..<space].trimmingCharacters(in: .whitespaces)
            items.append(
                ImageItem(source: .file(FileSystem.join(folder, path)), label: label, line: index + 1))
        }
        guard !items.isEmpty else { throw UserError("\(list) lists no images") }
        return items
    }

    private struct ClassFile: Decodable {
        var classes: [String]
    }

    private static func classNames(_ path: String) throws -> [String]? {
        guard FileSystem.isFile(path), let data = FileManager.default.contents(atPath: path) else { return nil }
        do {
            let names = try JSONDecoder().decode(ClassFile.self, from: data).classes
            try ClassLabel.checkDistinct(names, at: path)
            return names
        } catch let error as DecodingError {
            throw UserError(
                "\(path) is not a list of class names", expected: #"{"classes": ["first", ...]}"#, found: "\(error)")
        }
    }
}

/// Checks of labels and class names that several layouts share.
enum ClassLabel {
    /// More classes than anybody tunes for on a processor; a label beyond is a mistake in the list, such as an image's
    /// number, not a class.
    static let mostClasses = 20_000

    /// Checks a label against the class names, or against reason where there are none.
    static func check(_ label: Int, classes: [String]?, at place: @autoclosure () -> String) throws {
        let limit = classes?.count ?? mostClasses
        guard label >= 0 && label < limit else {
            throw UserError(
                "\(place()): label out of range", expected: "0 to \(limit - 1)", found: "\(label)",
                remedy: classes == nil ? "number the classes from 0, without gaps" : nil)
        }
    }

    static func checkCount(_ count: Int, at place: String) throws {
        guard count <= mostClasses else {
            throw UserError(
                "\(place) has too many classes", expected: "at most \(mostClasses)", found: "\(count)",
                remedy: "check that the labels are classes and not the images' own names")
        }
    }

    static func checkDistinct(_ names: [String], at place: String) throws {
        guard !names.isEmpty else { throw UserError("\(place) names no classes") }
        try checkCount(names.count, at: place)
        var seen = Set<String>()
        for name in names where !seen.insert(name).inserted {
            throw UserError("\(place) names the class \(name) twice")
        }
    }
}
