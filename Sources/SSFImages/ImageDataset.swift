import SSFTensors

/// Images that are not files of their own: records of a binary file, or pictures that the program draws.
public protocol ImageStore: Sendable {
    /// The image of a record; the same bytes at every call, on any thread.
    func image(at index: Int) throws -> RGBImage
    /// What to call the image in errors and lists of predictions.
    func name(at index: Int) -> String
}

/// Where the pixels of an image come from.
public enum ImageSource: Sendable {
    case file(String)
    case stored(any ImageStore, index: Int)
}

/// One labelled image of a set.
public struct ImageItem: Sendable {
    public var source: ImageSource
    /// Index into the set's classes.
    public var label: Int32
    /// Line of the set's list that names the image, counted from 1.
    public var line: Int?

    public init(source: ImageSource, label: Int, line: Int? = nil) {
        self.source = source
        self.label = Int32(label)
        self.line = line
    }

    /// The file's path, or the store's name for the image.
    public var name: String {
        switch source {
        case .file(let path): return path
        case .stored(let store, let index): return store.name(at: index)
        }
    }

    /// The decoded image.
    ///
    /// - Throws: `UserError` naming the file.
    public func image(decoder: ImageDecoder) throws -> RGBImage {
        switch source {
        case .file(let path): return try decoder.decode(path: path)
        case .stored(let store, let index): return try store.image(at: index)
        }
    }
}

/// Labelled images in a fixed order: one split of a collection.
public struct ImageDataset: Sendable {
    /// The split's name, such as `train` or `val200`.
    public let name: String
    /// Class names in label order, the same for every split of a collection.
    public let classes: [String]
    public let items: [ImageItem]
    /// The file that lists the images, if there is one; `ImageItem.line` counts its lines.
    public let list: String?

    public init(name: String, classes: [String], items: [ImageItem], list: String? = nil) {
        self.name = name
        self.classes = classes
        self.items = items
        self.list = list
    }

    public var count: Int { items.count }

    /// Number of images of each class, in label order.
    public var histogram: [Int] {
        var counts = [Int](repeating: 0, count: classes.count)
        for item in items { counts[Int(item.label)] += 1 }
        return counts
    }

    /// The images at `indices`, in that order, as a set of their own.
    public func subset(_ indices: [Int], name: String? = nil) -> ImageDataset {
        ImageDataset(name: name ?? self.name, classes: classes, items: indices.map { items[$0] }, list: list)
    }

    /// An image's name with its place in the list: `images/7.png (line 8 of train800.txt)`.
    public func place(of index: Int) -> String {
        guard let line = items[index].line, let list else { return items[index].name }
        return "\(items[index].name) (line \(line) of \(list))"
    }

    /// `1000 images, 10 classes, 94 to 106 per class`.
    public var summary: String {
        let counts = histogram
        let low = counts.min() ?? 0
        let high = counts.max() ?? 0
        let spread = low == high ? "\(low)" : "\(low) to \(high)"
        return "\(count) image\(count == 1 ? "" : "s"), \(classes.count) classes, \(spread) per class"
    }

    /// How many image files carry an EXIF orientation other than upright.
    public func orientedCount() -> Int {
        items.reduce(0) { total, item in
            guard case .file(let path) = item.source else { return total }
            return total + (ImageDecoder.orientation(path: path) == nil ? 0 : 1)
        }
    }

    /// Checks that every file is there, without reading any.
    ///
    /// - Throws: `UserError` naming the first that is not, with its line in the list and how many more are missing.
    public func checkFiles() throws {
        var first: Int?
        var missing = 0
        for (index, item) in items.enumerated() {
            guard case .file(let path) = item.source, !FileSystem.exists(path) else { continue }
            if first == nil { first = index }
            missing += 1
        }
        guard let first else { return }
        throw UserError(
            "\(place(of: first)) does not exist", expected: "every image of the split \(name)",
            found: "\(missing) of \(count) missing")
    }
}
