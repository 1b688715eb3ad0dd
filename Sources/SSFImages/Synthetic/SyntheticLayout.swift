import SSFTensors

/// Sets that the program draws itself: `synthetic:NAME?train=1000&val=200&test=1000&size=32&seed=0`.
///
/// An image depends on the seed, the task, the split and its index alone: the same at every run, whatever the sizes of
/// the splits, and the same scene at every `size`.
enum SyntheticLayout: DatasetLayout {
    static let form =
        "synthetic:NAME with NAME one of \(SyntheticTask.allCases.map(\.rawValue).joined(separator: ", "))"
    static let scheme = "synthetic:"

    static func recognises(_ location: String) -> Bool { location.hasPrefix(scheme) }

    static func open(_ location: String) throws -> DatasetCollection {
        let parts = location.dropFirst(scheme.count).split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard recognises(location), let task = SyntheticTask(rawValue: String(parts[0])) else {
            throw UserError("\(location): no such drawn set", expected: form)
        }
        var options = ["train": 1000, "val": 200, "test": 1000, "size": 32, "seed": 0]
        for option in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard options[String(pair[0])] != nil else {
                throw UserError(
                    "\(location): unknown option \(pair[0])", expected: "train, val, test, size or seed",
                    found: String(option))
            }
            guard pair.count == 2, let value = Int(pair[1]), value >= 0, value <= 1_000_000_000 else {
                throw UserError(
                    "\(location): \(pair[0]) is not a number", expected: "\(pair[0])=NUMBER", found: String(option))
            }
            options[String(pair[0])] = value
        }
        let size = options["size"]!
        guard (8...1024).contains(size) else {
            throw UserError("\(location): size is out of range", expected: "8 to 1024", found: "\(size)")
        }
        guard options["train"]! > 0 else { throw UserError("\(location): no training images", found: "train=0") }
        let splits = ["train", "val", "test"].compactMap { name -> ImageDataset? in
            guard let count = options[name], count > 0 else { return nil }
            let store = SyntheticImages(task: task, split: name, size: size, seed: UInt64(options["seed"]!))
            let items = (0..<count).map {
                ImageItem(source: .stored(store, index: $0), label: store.label(at: $0))
            }
            return ImageDataset(name: name, classes: task.classes, items: items)
        }
        return DatasetCollection(location: location, format: .synthetic, classes: task.classes, splits: splits)
    }
}

/// The images of one split of a drawn set, drawn when they are asked for.
public struct SyntheticImages: ImageStore {
    public let task: SyntheticTask
    public let split: String
    /// Width and height.
    public let size: Int
    public let seed: UInt64

    public init(task: SyntheticTask, split: String, size: Int, seed: UInt64 = 0) {
        precondition(size > 0)
        self.task = task
        self.split = split
        self.size = size
        self.seed = seed
    }

    /// The label of an image. Every run of as many images as there are classes has each class once, in random order.
    public func label(at index: Int) -> Int {
        let count = task.classes.count
        var random = RandomGenerator(
            seed: seed, stream: "synthetic.labels.\(task.rawValue).\(split)", index: UInt64(index / count))
        return random.permutation(count)[index % count]
    }

    public func image(at index: Int) -> RGBImage {
        var random = RandomGenerator(
            seed: seed, stream: "synthetic.\(task.rawValue).\(split)", index: UInt64(index))
        return task.scene(label: label(at: index), random: &random).image(side: size)
    }

    public func name(at index: Int) -> String { "synthetic:\(task.rawValue)/\(split)/\(index)" }
}
