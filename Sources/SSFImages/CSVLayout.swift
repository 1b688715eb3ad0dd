import Foundation
import SSFTensors
import SwiftCSV

/// CSV lists with a header: `path,label` and, if wanted, `split`.
///
/// Labels are class names, sorted in natural order, or whole numbers from 0 if every one is. Paths are relative to the
/// list. In a folder the list may be `train.csv`, `val.csv` and `test.csv`, or one file of any name.
enum CSVLayout: DatasetLayout {
    static let form = "a CSV file with the columns path,label and, if wanted, split"

    private static let pathColumns = ["path", "file", "filename", "file_name", "filepath", "image", "image_path"]
    private static let labelColumns = ["label", "class", "class_name", "target", "category"]

    static func recognises(_ location: String) -> Bool {
        guard FileSystem.isDirectory(location) else { return FileSystem.fileExtension(location) == "csv" }
        guard let files = try? files(location), let first = files.first else { return false }
        guard let header = try? FileSystem.lines(first.path).first?.lowercased() else { return false }
        return pathColumns.contains { header.contains($0) } && labelColumns.contains { header.contains($0) }
    }

    /// The lists of a folder with the split that their names say, or the one list that there is.
    private static func files(_ location: String) throws -> [(path: String, split: String?)] {
        guard FileSystem.isDirectory(location) else { return [(location, nil)] }
        let names = try FileSystem.list(location).filter { FileSystem.fileExtension($0) == "csv" }
        let splits = names.filter { SplitRole(FileSystem.stem($0)) != nil }
        if !splits.isEmpty { return splits.map { (FileSystem.join(location, $0), FileSystem.stem($0)) } }
        return names.count == 1 ? [(FileSystem.join(location, names[0]), nil)] : []
    }

    private struct Row {
        var path: String
        var label: String
        var split: String
        var list: String
        var line: Int
    }

    static func open(_ location: String) throws -> DatasetCollection {
        let files = try files(location)
        guard !files.isEmpty else {
            throw UserError("\(location) has no CSV list", expected: "one .csv file, or train.csv and test.csv")
        }
        let rows = try files.flatMap { try read($0.path, split: $0.split) }
        let isNumbered = rows.allSatisfy { Int($0.label) != nil }
        let classes: [String]
        if isNumbered {
            for row in rows {
                try ClassLabel.check(Int(row.label)!, classes: nil, at: "\(row.list), line \(row.line)")
            }
            classes = (0...(rows.map { Int($0.label)! }.max() ?? 0)).map(String.init)
        } else {
            classes = Set(rows.map(\.label)).naturallySorted()
            try ClassLabel.checkCount(classes.count, at: location)
        }
        let labels = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
        var order: [String] = []
        var items: [String: [ImageItem]] = [:]
        var lists: [String: String] = [:]
        for row in rows {
            if items[row.split] == nil { order.append(row.split) }
            let path = FileSystem.join(FileSystem.folder(of: row.list), row.path)
            let label = isNumbered ? Int(row.label)! : labels[row.label]!
            items[row.split, default: []].append(ImageItem(source: .file(path), label: label, line: row.line))
            lists[row.split] = row.list
        }
        return DatasetCollection(
            location: location, format: .csv, classes: classes,
            splits: order.map { ImageDataset(name: $0, classes: classes, items: items[$0]!, list: lists[$0]) })
    }

    private static func read(_ path: String, split: String?) throws -> [Row] {
        guard FileSystem.isFile(path) else {
            throw UserError("\(path) is not a file", expected: "a CSV file")
        }
        let table: EnumeratedCSV
        do {
            table = try EnumeratedCSV(url: URL(fileURLWithPath: path), delimiter: .comma, loadColumns: false)
        } catch {
            throw UserError("\(path) is not a CSV file", found: "\(error)")
        }
        let header = table.header.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        func column(_ names: [String]) -> Int? {
            header.firstIndex { names.contains($0.replacingOccurrences(of: "\u{FEFF}", with: "")) }
        }
        guard let pathColumn = column(pathColumns), let labelColumn = column(labelColumns) else {
            throw UserError(
                "\(path) does not name its columns", expected: "a first line with path,label",
                found: table.header.joined(separator: ","), remedy: "add a first line path,label")
        }
        let splitColumn = column(["split", "set", "subset"])
        var rows: [Row] = []
        for (index, cells) in table.rows.enumerated() {
            // The header is line 1. A quoted field with a line break would count as one line here.
            let line = index + 2
            if cells.allSatisfy({ $0.isEmpty }) { continue }
            func cell(_ column: Int) throws -> String {
                guard column < cells.count, let value = cells[column].trimmingCharacters(in: .whitespaces).nonEmpty
                else {
                    throw UserError(
                        "\(path), line \(line): no \(header[column])", expected: header.joined(separator: ","),
                        found: cells.joined(separator: ","))
                }
                return value
            }
            rows.append(
                Row(
                    path: try cell(pathColumn), label: try cell(labelColumn),
                    split: try split ?? splitColumn.map(cell) ?? "all", list: path, line: line))
        }
        guard !rows.isEmpty else { throw UserError("\(path) lists no images") }
        return rows
    }
}
