import ArgumentParser
import SSFImages
import SSFTensors

/// The images of an analysis, and how they pass through the models.
public struct AnalysisDataOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("data-dir")],
        help: ArgumentHelp("Images, in any layout of `ssf train`.", valueName: "path"))
    public var data: String?

    @Option(help: "Layout of the data; recognised by itself where it is not given.")
    public var dataFormat: String?

    @Option(help: ArgumentHelp("Part to look at (default: test, else val, else all).", valueName: "name"))
    public var split: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("At most so many images, drawn evenly from the classes (default: all).", valueName: "n"))
    public var limit: Int?

    @Option(parsing: .unconditional, help: "Seed of everything that is drawn.")
    public var seed: UInt64 = 0

    @Option(name: [.customShort("b"), .long], parsing: .unconditional, help: "Images of a batch.")
    public var batchSize = 64

    @Option(name: [.customShort("j"), .long], parsing: .unconditional, help: "Threads that decode images ahead.")
    public var workers = 1

    @Option(help: "Orientation of photographs: apply or ignore.")
    public var exifOrientation: String?

    public init() {}

    public func validate() throws {
        for (name, value) in [("limit", limit ?? 1), ("batch-size", batchSize), ("workers", workers)] where value < 1 {
            throw ValidationError("--\(name) must be 1 or more, not \(value).")
        }
    }

    /// The images that are looked at, in the order of the data set.
    ///
    /// - Throws: `UserError` for data that cannot be read, and for a part that does not exist.
    package func open() throws -> AnalysisImages {
        guard let data else { throw UserError("--data is missing", expected: "images, in any layout of ssf train") }
        let collection = try DatasetCollection.open(data, format: try dataFormat.map(DataFormat.named))
        let dataset = try collection.evaluated(split, requiresFiles: true)
        return AnalysisImages(
            limit.map { dataset.evenly($0, seed: seed) } ?? dataset, location: data,
            orientation: try .named(exifOrientation, default: collection.format.defaultOrientation),
            notes: collection.notes)
    }
}

/// The images of an analysis.
package struct AnalysisImages: Sendable {
    package let dataset: ImageDataset
    /// What `--data` named.
    package let location: String
    package let notes: [String]
    /// Whether the classes of the images are known: of files that were named they are not.
    package let isLabelled: Bool
    let orientation: OrientationPolicy

    init(
        _ dataset: ImageDataset, location: String, orientation: OrientationPolicy, notes: [String],
        isLabelled: Bool = true
    ) {
        (self.dataset, self.location, self.orientation, self.notes) = (dataset, location, orientation, notes)
        self.isLabelled = isLabelled
    }

    /// Images that are named one by one, or by their folders, in order.
    ///
    /// - Parameter orientation: as an option names it; nil applies it.
    package static func files(_ paths: [String], orientation: String?) throws -> AnalysisImages {
        let items = try PredictionRun.images(at: paths).map { ImageItem(source: .file($0), label: 0) }
        return AnalysisImages(
            ImageDataset(name: "files", classes: [""], items: items), location: paths.joined(separator: " "),
            orientation: try .named(orientation, default: .apply), notes: [], isLabelled: false)
    }

    package var count: Int { dataset.count }
    /// In label order.
    package var classes: [String] { dataset.classes }
    /// The class of each image.
    package var labels: [Int] { dataset.items.map { Int($0.label) } }
    /// The class of an image; nil where it is not known.
    package func label(at index: Int) -> String? { isLabelled ? classes[labels[index]] : nil }

    /// The class of an image as an index of a model's classes; nil where it is not known, or none of them.
    ///
    /// The classes of a model that has no names for them are taken in the order of the data.
    package func label(at index: Int, among own: [String]) -> Int? {
        guard isLabelled else { return nil }
        let label = Int(dataset.items[index].label)
        if own.count == classes.count, own == (0..<own.count).map(String.init) { return label }
        return own.firstIndex(of: classes[label])
    }

    /// An image, decoded and turned as the models see it.
    ///
    /// - Throws: `UserError` naming the file.
    package func image(at index: Int) throws -> RGBImage {
        try dataset.items[index].image(decoder: ImageDecoder(orientation: orientation))
    }

    /// The file of each image, or what stands for it.
    package var names: [String] { dataset.items.map(\.name) }
}

extension ImageDataset {
    /// A part with the same number of images of each class, or one more or less, in the old order; of a class that has
    /// fewer, all of them, and more of the others.
    ///
    /// - Parameter limit: images of the part.
    func evenly(_ limit: Int, seed: UInt64) -> ImageDataset {
        guard limit < count else { return self }
        var members = [[Int]](repeating: [], count: classes.count)
        for (index, item) in items.enumerated() { members[Int(item.label)].append(index) }
        var random = RandomGenerator(seed: seed, stream: "limit")
        // Where the limit does not divide, chance decides which classes have one more.
        let order = random.permutation(classes.count)
        let drawn = members.map { own in random.permutation(own.count).map { own[$0] } }
        var taken: [Int] = []
        for round in 0..<count where taken.count < limit {
            taken += order.filter { round < drawn[$0].count }.map { drawn[$0][round] }.prefix(limit - taken.count)
        }
        return subset(taken.sorted())
    }
}
