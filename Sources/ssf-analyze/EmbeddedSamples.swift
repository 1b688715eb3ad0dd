import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFTensors

/// What `ssf-analyze tsne` embeds: one or several matrices over the same samples.
struct EmbeddedSamples {
    struct Matrix {
        var name: String
        var path: String
        var layer: String?
        var tokens: String?
        var features: SampleMatrix
    }

    /// What `--data` named.
    private(set) var data: String?
    /// Samples before `--limit`.
    private(set) var available: Int
    private(set) var names: [String]
    private(set) var labels: [Int]
    private(set) var classes: [String]
    private(set) var matrices: [Matrix]

    // MARK: - From models

    /// Passes the images through the models; settings are checked before the time is spent.
    init(models command: TSNECommand, settings: TSNESettings, console: Console) throws {
        let models = try command.models.open(
            preprocessing: command.preprocessing, precision: try command.runtime.chosenPrecision())
        let images = try command.data.open()
        for note in images.notes { console.note(note) }
        try settings.check(samples: images.count)
        let choice = TokenChoice(rawValue: command.tokens) ?? .classToken
        let layer = command.layer
        // Errors of a layer come before the first image.
        let widths = try models.map { try $0.extent(of: layer, choice).width }
        let stream = try FeatureStream(models, images: images, options: command.data) { _ in [layer] }
        var values = widths.map { [Float](repeating: 0, count: $0 * images.count) }
        try stream.forEachBatch(console) { batch in
            for (number, model) in batch.models.enumerated() {
                let rows = try model.features(layer, choice)
                let width = widths[number]
                for (row, index) in batch.indices.enumerated() {
                    values[number].replaceSubrange(
                        index * width..<(index + 1) * width, with: rows[row * width..<(row + 1) * width])
                }
            }
        }
        data = images.location
        available = images.count
        names = images.names
        labels = images.labels
        classes = images.classes
        matrices = try models.enumerated().map { number, model in
            let isFlat = model.tuned.baseProgram.marks[layer].map { model.tuned.baseProgram.shape(of: $0).rank } != 3
            return Matrix(
                name: model.name, path: model.path ?? "", layer: layer, tokens: isFlat ? nil : choice.rawValue,
                features: try SampleMatrix(
                    rows: images.count, columns: widths[number], values: values[number], name: model.name))
        }
    }

    // MARK: - From files

    init(files command: TSNECommand, settings: TSNESettings, console: Console) throws {
        guard command.data.data == nil else {
            throw UserError(
                "--data has no meaning with --features", remedy: "pass --labels for the classes of the samples")
        }
        let sources = try command.features.map { try Self.parts(of: $0) }
        for (number, source) in sources.enumerated() {
            if let other = sources[..<number].first(where: { $0.name == source.name }) {
                throw UserError(
                    "two matrices are called \(source.name)", found: "\(other.path) and \(source.path)",
                    remedy: "give each a name of its own: --features NAME=\(source.path)")
            }
        }
        let tensors = try sources.map { source in
            let tensor = try NPY.read(source.path)
            guard tensor.shape.rank == 2 else {
                throw UserError(
                    "\(source.path): a matrix is needed", expected: "[samples, features]", found: "\(tensor.shape)",
                    remedy: tensor.shape.rank > 2 ? "reshape it to two dimensions" : nil)
            }
            return tensor
        }
        let count = tensors[0].shape[0]
        for (tensor, source) in zip(tensors, sources) where tensor.shape[0] != count {
            throw UserError(
                "\(source.path): the matrices have different samples", expected: "\(count), as \(sources[0].path)",
                found: "\(tensor.shape[0])")
        }
        let all = try command.labels.map { try Self.labels($0, count: count) }
        let kept = Self.kept(count, limit: command.data.limit, seed: settings.seed)
        available = count
        names = kept.map(String.init)
        let present = Set(all ?? []).sorted()
        classes = present.map(String.init)
        let positions = Dictionary(uniqueKeysWithValues: present.enumerated().map { ($0.element, $0.offset) })
        labels = all.map { all in kept.map { positions[all[$0]]! } } ?? []
        matrices = try zip(tensors, sources).map { tensor, source in
            Matrix(
                name: source.name, path: source.path,
                features: try Self.matrix(tensor, rows: kept, shownAs: source.path))
        }
        try settings.check(samples: kept.count)
    }

    private static func parts(of text: String) throws -> (name: String, path: String) {
        guard !FileManager.default.fileExists(atPath: text), let equals = text.firstIndex(of: "=") else {
            return (URL(filePath: text).deletingPathExtension().lastPathComponent, text)
        }
        let (name, path) = (String(text[..<equals]), String(text[text.index(after: equals)...]))
        guard !name.isEmpty, !path.isEmpty, !name.contains("/") else {
            throw UserError("--features \(text) cannot be used", expected: "NAME=PATH or PATH; no `/` in the name")
        }
        return (name, path)
    }

    /// Numbers of the rows that are left, in order.
    private static func kept(_ count: Int, limit: Int?, seed: UInt64) -> [Int] {
        guard let limit, limit < count else { return Array(0..<count) }
        var random = RandomGenerator(seed: seed, stream: "limit")
        return random.permutation(count).prefix(limit).sorted()
    }

    private static func matrix(_ tensor: Tensor, rows: [Int], shownAs name: String) throws -> SampleMatrix {
        let columns = tensor.shape[1]
        switch tensor.dtype {
        case .f64:
            let values = [Double](unsafeUninitializedCapacity: rows.count * columns) { buffer, filled in
                for (row, source) in rows.enumerated() {
                    (buffer.baseAddress! + row * columns).withMemoryRebound(to: UInt8.self, capacity: 8 * columns) {
                        // The file's numbers may lie at any address.
                        UnsafeMutableRawPointer($0).copyMemory(
                            from: tensor.rawPointer + source * columns * 8, byteCount: 8 * columns)
                    }
                }
                filled = rows.count * columns
            }
            return try values.withUnsafeBufferPointer {
                try SampleMatrix(rows: rows.count, columns: columns, doubles: $0, name: name)
            }
        case .f32, .f16, .bf16:
            let all = tensor.values
            let values = rows.count == tensor.shape[0] ? all : rows.flatMap { all[$0 * columns..<($0 + 1) * columns] }
            return try SampleMatrix(rows: rows.count, columns: columns, values: values, name: name)
        default:
            throw UserError(
                "\(name): the matrix holds \(tensor.dtype.rawValue)", expected: "floating-point numbers",
                remedy: "save it with x.astype(numpy.float32)")
        }
    }

    private static func labels(_ path: String, count: Int) throws -> [Int] {
        let tensor = try NPY.read(path)
        guard tensor.shape.dimensions == [count] else {
            throw UserError(
                "\(path): a class for each sample is needed", expected: "[\(count)]", found: "\(tensor.shape)")
        }
        func read<T: FixedWidthInteger>(_: T.Type) -> [Int] {
            (0..<count).map {
                Int(tensor.rawPointer.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self))
            }
        }
        switch tensor.dtype {
        case .i64: return read(Int64.self)
        case .i32: return read(Int32.self)
        case .i16: return read(Int16.self)
        case .i8: return read(Int8.self)
        case .u8, .bool: return read(UInt8.self)
        default:
            throw UserError("\(path): the classes are \(tensor.dtype.rawValue)", expected: "whole numbers")
        }
    }
}
