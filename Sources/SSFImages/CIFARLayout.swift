import Foundation
import SSFTensors

/// CIFAR-10 and CIFAR-100 in their official binary form: records of label bytes and 32x32 red, green and blue planes.
enum CIFARLayout: DatasetLayout {
    static let form = "a folder with train.bin and test.bin (CIFAR-100) or data_batch_1.bin ... (CIFAR-10)"

    private static let batches = (1...5).map { "data_batch_\($0).bin" }

    static func recognises(_ location: String) -> Bool { folder(location) != nil }

    /// The folder itself or the one that the official archive unpacks to.
    private static func folder(_ location: String) -> (path: String, isFine: Bool)? {
        for path in [location] + ["cifar-100-binary", "cifar-10-batches-bin"].map({ FileSystem.join(location, $0) }) {
            if FileSystem.isFile(FileSystem.join(path, "train.bin")) { return (path, true) }
            if FileSystem.isFile(FileSystem.join(path, batches[0])) { return (path, false) }
        }
        return nil
    }

    static func open(_ location: String) throws -> DatasetCollection {
        guard let (folder, isFine) = folder(location) else {
            throw UserError("\(location) is not a CIFAR set", expected: form)
        }
        let classCount = isFine ? 100 : 10
        let namesPath = FileSystem.join(folder, isFine ? "fine_label_names.txt" : "batches.meta.txt")
        var classes = (0..<classCount).map(String.init)
        var notes: [String] = []
        if FileSystem.isFile(namesPath) {
            classes = try FileSystem.lines(namesPath).map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
            guard classes.count == classCount else {
                throw UserError(
                    "\(namesPath) has the wrong number of class names", expected: "\(classCount)",
                    found: "\(classes.count)")
            }
            try ClassLabel.checkDistinct(classes, at: namesPath)
        } else {
            notes.append("\(FileSystem.lastComponent(namesPath)) not found: classes are named by number")
        }

        func split(_ name: String, _ files: [String]) throws -> ImageDataset? {
            let paths = files.map { FileSystem.join(folder, $0) }.filter(FileSystem.isFile)
            guard !paths.isEmpty else { return nil }
            let items = try paths.flatMap { path in
                let records = try CIFARRecords(path: path, labelBytes: isFine ? 2 : 1)
                return try (0..<records.count).map { index in
                    let label = records.label(at: index)
                    try ClassLabel.check(label, classes: classes, at: records.name(at: index))
                    return ImageItem(source: .stored(records, index: index), label: label)
                }
            }
            return ImageDataset(name: name, classes: classes, items: items)
        }
        let train = try split("train", isFine ? ["train.bin"] : batches)
        let test = try split("test", [isFine ? "test.bin" : "test_batch.bin"])
        return DatasetCollection(
            location: location, format: .cifar, classes: classes, splits: [train, test].compactMap { $0 }, notes: notes)
    }
}

/// One binary file of CIFAR records, mapped.
final class CIFARRecords: ImageStore {
    private static let side = 32
    private static let planeBytes = side * side

    private let path: String
    private let data: Data
    private let labelBytes: Int
    private var recordBytes: Int { labelBytes + 3 * CIFARRecords.planeBytes }
    let count: Int

    /// - Parameter labelBytes: 1 for CIFAR-10; 2 for CIFAR-100, of which the second, the fine label, is used.
    init(path: String, labelBytes: Int) throws {
        self.path = path
        self.labelBytes = labelBytes
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw UserError("\(path) cannot be read", found: error.localizedDescription)
        }
        let record = labelBytes + 3 * CIFARRecords.planeBytes
        guard !data.isEmpty && data.count % record == 0 else {
            throw UserError(
                "\(path) is not a whole CIFAR file", expected: "a multiple of \(record) bytes",
                found: "\(data.count) bytes")
        }
        count = data.count / record
    }

    func label(at index: Int) -> Int { Int(data[data.startIndex + index * recordBytes + labelBytes - 1]) }

    func name(at index: Int) -> String { "\(path)#\(index)" }

    func image(at index: Int) -> RGBImage {
        data.withUnsafeBytes { bytes in
            let plane = CIFARRecords.planeBytes
            let source = bytes.bindMemory(to: UInt8.self).baseAddress! + (index * recordBytes + labelBytes)
            return RGBImage(width: CIFARRecords.side, height: CIFARRecords.side) { pixels in
                for i in 0..<plane {
                    pixels[3 * i] = source[i]
                    pixels[3 * i + 1] = source[plane + i]
                    pixels[3 * i + 2] = source[2 * plane + i]
                }
            }
        }
    }
}
