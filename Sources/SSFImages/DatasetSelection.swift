import SSFTensors

/// Which parts of a collection a run uses.
public struct SplitOptions: Sendable, Equatable {
    /// Names of splits; nil for the layout's default, `none` for no validation or no test.
    public var train: String?
    public var validation: String?
    public var test: String?
    /// The part of each class that is taken from the training images where a set has no validation (or, without any
    /// splits, no test) images of its own.
    public var validationFraction: Double
    public var testFraction: Double
    /// Seed of that draw.
    public var seed: UInt64
    /// Whether a listed file that does not exist is an error at once; false where images that cannot be read are
    /// skipped, and these with them.
    public var requiresFiles: Bool

    public init(
        train: String? = nil, validation: String? = nil, test: String? = nil, validationFraction: Double = 0.1,
        testFraction: Double = 0.1, seed: UInt64 = 0, requiresFiles: Bool = true
    ) {
        self.train = train
        self.validation = validation
        self.test = test
        self.validationFraction = validationFraction
        self.testFraction = testFraction
        self.seed = seed
        self.requiresFiles = requiresFiles
    }
}

/// The images to train on, to choose the best state on and to report on.
public struct DatasetSelection: Sendable {
    public let train: ImageDataset
    public let validation: ImageDataset?
    public let test: ImageDataset?
    /// What was decided and should be said.
    public let notes: [String]
}

extension DatasetCollection {
    /// Chooses the splits of a run.
    ///
    /// VTAB-1k lists: train800val200 and test, no validation; with train800, val200 is the validation. Other lists
    /// and sets: the splits by their usual names; where a set other than lists has no validation split, a seeded part of
    /// each class of train. A set without splits gives its test part in the same way.
    ///
    /// - Throws: `UserError` for a split that does not exist, or one used twice, or a file that is missing where files are required.
    public func select(_ options: SplitOptions = SplitOptions()) throws -> DatasetSelection {
        var notes: [String] = []
        var train = try options.train.map(named) ?? defaultTrain()
        var validation = try resolve(options.validation) { defaultValidation(train: train) }
        var test = try resolve(options.test) {
            let candidate = split(.test)
            // A test split that the user took for another purpose is no test any more.
            return candidate?.name == train.name || candidate?.name == validation?.name ? nil : candidate
        }
        if let validation, validation.name == test?.name {
            throw UserError(
                "the split \(validation.name) cannot be both validation and test",
                remedy: "choose another --val-split, or --val-split none")
        }
        for other in [validation, test] where other?.name == train.name {
            throw UserError("the split \(train.name) cannot be both trained on and evaluated on")
        }
        if options.requiresFiles {
            for part in [train, validation, test].compactMap({ $0 }) { try part.checkFiles() }
        }
        if let validation, SplitRole(validation.name) == .test {
            notes.append(
                "validation is the split \(validation.name): the best state is chosen on it, and nothing is left to test"
            )
        }
        if splits.count == 1 && test == nil && options.test == nil {
            let (rest, part) = try train.stratified(
                fraction: options.testFraction, name: "test", option: "--test-fraction", seed: options.seed)
            notes.append(
                "no splits found: \(part.count) of \(train.count) images set apart for the test, evenly by class (seed \(options.seed))"
            )
            (train, test) = (rest, part)
        }
        if validation == nil && options.validation == nil && !isBenchmarkList(train) {
            let (rest, part) = try train.stratified(
                fraction: options.validationFraction, name: "validation", option: "--val-fraction", seed: options.seed)
            notes.append(
                "no validation split found: \(part.count) of \(train.count) training images set apart, evenly by class (seed \(options.seed))"
            )
            (train, validation) = (rest, part)
        }
        if let note = train.absentClasses { notes.append(note) }
        return DatasetSelection(train: train, validation: validation, test: test, notes: self.notes + notes)
    }

    private func named(_ name: String) throws -> ImageDataset {
        guard let found = split(name) else {
            throw UserError(
                "\(location) has no split \(name)", expected: splits.map(\.name).joined(separator: ", "), found: name)
        }
        return found
    }

    private func resolve(_ name: String?, default fallback: () -> ImageDataset?) throws -> ImageDataset? {
        guard let name else { return fallback() }
        return name.lowercased() == "none" ? nil : try named(name)
    }

    private func defaultTrain() throws -> ImageDataset {
        if format == .vtab {
            for name in ["train800val200", "train800"] {
                if let found = split(name) { return found }
            }
        }
        if let found = split(.train) { return found }
        guard splits.count == 1 else {
            throw UserError(
                "\(location) has no training split", expected: "train",
                found: splits.map(\.name).joined(separator: ", "),
                remedy: "name it with --train-split")
        }
        return splits[0]
    }

    /// Whether the training images are those of VTAB-1k, whose protocol says what is validated on.
    private func isBenchmarkList(_ train: ImageDataset) -> Bool { format == .vtab && train.name.hasPrefix("train800") }

    private func defaultValidation(train: ImageDataset) -> ImageDataset? {
        // The whole of VTAB's 1,000 images leaves none for validation.
        if format == .vtab && train.name == "train800val200" { return nil }
        if format == .vtab && train.name == "train800" { return split("val200") }
        let found = split(.validation)
        return found?.name == train.name ? nil : found
    }
}

extension ImageDataset {
    /// Says which classes have no image here; nil if all have.
    var absentClasses: String? {
        let absent = zip(classes, histogram).filter { $0.1 == 0 }.map(\.0)
        guard !absent.isEmpty else { return nil }
        let named = absent.prefix(5).joined(separator: ", ") + (absent.count > 5 ? ", ..." : "")
        return
            "\(absent.count) of \(classes.count) classes without a training image, which are never predicted rightly: "
            + named
    }

    /// Sets a part of each class apart: the images that stay and those that go, both in their old order.
    ///
    /// Of a class with two images or more at least one goes and one stays; the draw of one class does not depend on the
    /// others.
    func stratified(
        fraction: Double, name: String, option: String, seed: UInt64
    ) throws -> (rest: ImageDataset, part: ImageDataset) {
        guard fraction > 0 && fraction < 1 else {
            throw UserError("\(option) is out of range", expected: "more than 0, less than 1", found: "\(fraction)")
        }
        var byClass = [[Int]](repeating: [], count: classes.count)
        for (index, item) in items.enumerated() { byClass[Int(item.label)].append(index) }
        var taken = Set<Int>()
        for (label, members) in byClass.enumerated() where members.count >= 2 {
            var random = RandomGenerator(seed: seed, stream: "split." + name, index: UInt64(label))
            let wanted = Int((Double(members.count) * fraction).rounded())
            let order = random.permutation(members.count)
            for position in order.prefix(min(max(wanted, 1), members.count - 1)) { taken.insert(members[position]) }
        }
        guard !taken.isEmpty else {
            throw UserError(
                "too few images to set a \(name) part apart", expected: "two or more of some class",
                found: summary, remedy: "add images, or pass --\(name == "test" ? "test" : "val")-split none")
        }
        return (
            subset(items.indices.filter { !taken.contains($0) }),
            subset(items.indices.filter { taken.contains($0) }, name: name)
        )
    }
}
