import SSFTensors

/// The forms in which a set of labelled images may lie on disk; the names are those of `--data-format`.
public enum DataFormat: String, Sendable, CaseIterable, Codable {
    case folder
    case vtab
    case cifar
    case csv
    case synthetic

    /// The reader of each format. A new layout is one file that conforms to `DatasetLayout` and one line here; the
    /// order is that in which the formats are tried, the most particular first.
    static let layouts: [(format: DataFormat, layout: any DatasetLayout.Type)] = [
        (.synthetic, SyntheticLayout.self),
        (.vtab, VTABLayout.self),
        (.cifar, CIFARLayout.self),
        (.csv, CSVLayout.self),
        (.folder, FolderLayout.self),
    ]

    /// Whether sets of this form hold photographs, which are cropped and flipped in training and turned upright, or
    /// are benchmarks whose images are taken as they are.
    public var holdsPhotographs: Bool { self == .folder || self == .csv }

    public var defaultOrientation: OrientationPolicy { holdsPhotographs ? .apply : .ignore }
}

/// A reader of one form of dataset.
protocol DatasetLayout: SendableMetatype {
    /// What a set of this form looks like, for error messages.
    static var form: String { get }
    /// Whether the location looks like this form, by a glance at its names.
    static func recognises(_ location: String) -> Bool
    /// Reads the lists of images and labels, but no image.
    static func open(_ location: String) throws -> DatasetCollection
}

/// What a split is for.
public enum SplitRole: Sendable, Equatable {
    case train
    case validation
    case test

    /// Understands the usual spellings of split names, in any capitals.
    init?(_ name: String) {
        switch name.lowercased() {
        case "train", "training", "trn": self = .train
        case "val", "valid", "validation", "dev", "eval", "evaluation": self = .validation
        case "test", "testing", "tst": self = .test
        default: return nil
        }
    }
}

/// Every split of a set of images, as it was found.
public struct DatasetCollection: Sendable {
    public let location: String
    public let format: DataFormat
    public let classes: [String]
    /// At least one; a set without splits has one that is called `all`.
    public let splits: [ImageDataset]
    /// What was decided while reading and should be said.
    public let notes: [String]

    init(
        location: String, format: DataFormat, classes: [String], splits: [ImageDataset], notes: [String] = []
    ) {
        self.location = location
        self.format = format
        self.classes = classes
        self.splits = splits
        self.notes = notes
    }

    /// Opens a set: a folder, a CSV file, or `synthetic:NAME`.
    ///
    /// - Parameter format: The form to read it as; recognised by itself if nil.
    /// - Throws: `UserError` naming the file, line or folder that is wrong.
    public static func open(_ location: String, format: DataFormat? = nil) throws -> DatasetCollection {
        if !SyntheticLayout.recognises(location) && !FileSystem.exists(location) {
            throw UserError(
                "\(location) does not exist", expected: "a folder of images, a CSV list, or synthetic:NAME",
                remedy: "draw a set with --data synthetic:\(SyntheticTask.allCases[0].rawValue)")
        }
        for (candidate, layout) in DataFormat.layouts {
            if format == candidate || (format == nil && layout.recognises(location)) {
                return try layout.open(location)
            }
        }
        throw UserError(
            "\(location) is not a set of images that can be read",
            expected: DataFormat.layouts.map { "\($0.format.rawValue): \($0.layout.form)" }.joined(separator: "\n"),
            remedy: "arrange the images as a folder per class, or name the form with --data-format")
    }

    /// The split with a name, or with a usual spelling of the same role.
    public func split(_ name: String) -> ImageDataset? {
        if let exact = splits.first(where: { $0.name == name })
            ?? splits.first(where: { $0.name.lowercased() == name.lowercased() })
        {
            return exact
        }
        guard let role = SplitRole(name) else { return nil }
        return split(role)
    }

    func split(_ role: SplitRole) -> ImageDataset? { splits.first { SplitRole($0.name) == role } }
}
