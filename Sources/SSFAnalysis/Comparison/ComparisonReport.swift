import SSFTuning

/// Methods side by side on one or more sets of images: everything that `ssf compare` shows.
public struct ComparisonReport: Codable, Sendable {
    /// Where and when it was made.
    public struct Machine: Codable, Sendable, Equatable {
        public var program: String
        public var cpu: String
        public var instructionSet: String
        public var threads: Int
        /// ISO 8601.
        public var date: String

        enum CodingKeys: String, CodingKey {
            case program, cpu, threads, date
            case instructionSet = "instruction_set"
        }

        public init(program: String, cpu: String, instructionSet: String, threads: Int, date: String) {
            (self.program, self.cpu, self.instructionSet) = (program, cpu, instructionSet)
            (self.threads, self.date) = (threads, date)
        }
    }

    /// A set of images.
    public struct Dataset: Codable, Sendable, Equatable {
        public var name: String
        public var location: String
        public var classes: Int
        public var trainImages: Int
        public var validationImages: Int
        public var testImages: Int
        /// Of an image shown to the base with the classifier.
        public var baseMultiplyAdds: Int
        /// Whether the reported runs have a validation part, by which the best epoch is chosen.
        public var choosesEpoch: Bool { validationImages > 0 }

        enum CodingKeys: String, CodingKey {
            case name, location, classes
            case trainImages = "train_images"
            case validationImages = "validation_images"
            case testImages = "test_images"
            case baseMultiplyAdds = "base_multiply_adds"
        }

        public init(
            name: String, location: String, classes: Int, trainImages: Int, validationImages: Int, testImages: Int,
            baseMultiplyAdds: Int
        ) {
            (self.name, self.location, self.classes) = (name, location, classes)
            (self.trainImages, self.validationImages, self.testImages) = (trainImages, validationImages, testImages)
            self.baseMultiplyAdds = baseMultiplyAdds
        }
    }

    /// What is true of a method whatever it is tuned on.
    public struct Method: Codable, Sendable, Equatable {
        public var name: String
        public var title: String
        public var tuning: TuningConfiguration
        /// "Unified parameter space" of the paper's Table 1: no size that is chosen anew for each task.
        public var isUnified: Bool
        public var merges: Bool

        enum CodingKeys: String, CodingKey {
            case name, title, tuning, merges
            case isUnified = "unified_parameter_space"
        }

        /// - Parameter title: for figures.
        public init(_ method: NamedTuning, title: String, isUnified: Bool, merges: Bool) {
            (name, self.title, tuning) = (method.name, title, method.tuning)
            (self.isUnified, self.merges) = (isUnified, merges)
        }
    }

    public var machine: Machine
    public var model: String
    /// Settings that every run shares, by key, as YAML.
    public var settings: [String: String]
    public var seeds: [Int]
    public var sweep: Sweep?
    public var datasets: [Dataset]
    public var methods: [Method]
    /// One for each method on each set, methods first.
    public var cells: [ComparisonCell]
    public var differences: [MethodDifference]

    /// How settings were chosen.
    public struct Sweep: Codable, Sendable, Equatable {
        /// Values by key.
        public var values: [String: [String]]
        /// Runs that every method had on every set.
        public var trialsPerMethod: Int
        /// In sentences: what was trained and validated on, and how the budget was kept equal.
        public var notes: [String]

        enum CodingKeys: String, CodingKey {
            case values, notes
            case trialsPerMethod = "trials_per_method"
        }

        public init(values: [String: [String]], trialsPerMethod: Int, notes: [String]) {
            (self.values, self.trialsPerMethod, self.notes) = (values, trialsPerMethod, notes)
        }
    }

    public init(
        machine: Machine, model: String, settings: [String: String], seeds: [Int], sweep: Sweep?, datasets: [Dataset],
        methods: [Method], cells: [ComparisonCell], differences: [MethodDifference]
    ) {
        (self.machine, self.model, self.settings, self.seeds) = (machine, model, settings, seeds)
        (self.sweep, self.datasets, self.methods) = (sweep, datasets, methods)
        (self.cells, self.differences) = (cells, differences)
    }

    public func cell(method: String, dataset: String) -> ComparisonCell? {
        cells.first { $0.method == method && $0.dataset == dataset }
    }

    /// Whether last and best epoch are different things on some set.
    public var choosesEpochs: Bool { datasets.contains(where: \.choosesEpoch) }

    // MARK: Means over the sets

    /// Top-1 in per cent over the sets: the mean over the sets for each seed, then mean and spread over the seeds. nil
    /// where a set has no result of the method.
    public func mean(method: String, _ epoch: ReportedEpoch) -> SampleSummary? {
        var bySeed: [[Double]] = []
        for dataset in datasets {
            guard let cell = cell(method: method, dataset: dataset.name), !cell.runs.isEmpty else { return nil }
            for (index, seed) in seeds.enumerated() {
                if bySeed.count <= index { bySeed.append([]) }
                if let run = cell.runs.first(where: { $0.seed == seed }) { bySeed[index].append(run.top1(epoch)) }
            }
        }
        let whole = bySeed.filter { $0.count == datasets.count }.map { $0.reduce(0, +) / Double($0.count) }
        if let summary = SampleSummary(whole) { return summary }
        // No seed came through on every set: the mean of what there is, without a spread.
        let means = datasets.compactMap { cell(method: method, dataset: $0.name)?.summary(epoch)?.mean }
        return SampleSummary(count: 1, mean: means.reduce(0, +) / Double(means.count), deviation: nil)
    }

    /// The mean over the sets of a number of each cell; nil where one has none.
    public func mean(method: String, of value: (ComparisonCell) -> Double?) -> Double? {
        let values = datasets.compactMap { cell(method: method, dataset: $0.name).flatMap(value) }
        return values.count == datasets.count && !values.isEmpty
            ? values.reduce(0, +) / Double(values.count) : nil
    }
}

/// Which epoch of a run is spoken of.
public enum ReportedEpoch: String, Codable, Sendable, CaseIterable {
    case last
    /// By the validation part, never by the test part; the last where there is none.
    case best
}
