import Foundation
import SSFCheckpoints
import SSFGraph
import SSFImages
import SSFModels
import SSFTensors
import SSFTuning
import Yams

/// What a comparison compares, resolved and checked: the command line over a YAML file over defaults.
public struct CompareSettings {
    public struct Method {
        public var named: NamedTuning
        /// Settings of its runs that are stated with it, such as its learning rate.
        public var settings: [Setting]
        var name: String { named.name }
        var type: any TuningMethod.Type { TuningRegistry.types.first { $0.name == named.tuning.method }! }
    }

    public struct Dataset {
        /// Its last name, made different from those of the others.
        public var name: String
        public var location: String
        var collection: DatasetCollection
    }

    public var model: String
    public var datasets: [Dataset]
    public var methods: [Method]
    public var seeds: [Int]
    public var axes: [SweepAxis]
    /// Runs of the sweep for each method and set; nil for the most that a method needs.
    public var trials: Int?
    public var output: String
    /// Options of `ssf train` for every run, and the settings of the YAML file that are for it.
    public var training: [String]
    var file: SettingsFile?

    static let ownKeys = ["methods", "preset", "seeds", "sweep", "trials"]

    /// - Throws: `UserError` for what cannot be compared.
    public init(_ options: CompareOptions) throws {
        let known = TrainSettings.keys + Self.ownKeys
        let whole = try options.config.map { try SettingsFile(path: $0, known: known) }
        let resolver = SettingResolver(file: whole)
        func texts(_ key: String, _ flags: [String]) throws -> [String]? {
            try resolver.optional(key, flag: flags.isEmpty ? nil : TextList(flags))?.texts
        }

        model = try resolver.required(
            "model", flag: options.model, remedy: "pass a folder with a pre-trained model")
        output = try resolver.value("output", flag: options.output, default: "comparison")
        datasets = try Self.datasets(
            try texts("data", options.data),
            format: try whole?.value("data-format", as: String.self).map(DataFormat.named))
        let seedText = try resolver.optional("seeds", flag: options.seeds.map { TextList([$0]) })
        seeds = try seedText.map { try Self.seeds($0.texts.joined(separator: ",")) } ?? [0, 1, 2]
        trials = try resolver.optional("trials", flag: options.trials)

        let list = try texts("methods", options.methods)
        let preset = try resolver.optional("preset", flag: options.preset)
        if let list, let preset {
            throw UserError(
                "--methods and --preset exclude each other", found: "\(list.joined(separator: ",")) and \(preset)",
                remedy: "leave one out")
        }
        let model = model
        let names = try preset.map { try ComparePreset.named($0).methods(depth: Self.depth(of: model)) }
        methods = try NamedTuning.list(
            (names ?? list)?.joined(separator: ",") ?? NamedTuning.standard.map(\.name).joined(separator: ","),
            others: TrialArguments.runKeys
        ).map { method, others in
            Method(named: method, settings: others.sorted { $0.key < $1.key }.map { Setting($0.key, $0.value) })
        }
        let axes = try resolver.optional(
            "sweep", flag: options.sweep.isEmpty ? nil : SweepText(axes: options.sweep))
        self.axes = try axes.map { try $0.axes.map { try SweepAxis($0) } } ?? []
        training = options.training
        file = whole?.keeping(Set(TrainSettings.keys).subtracting(["model", "data", "output"]))
        try checkAxes()
        try checkTraining()
    }

    // MARK: Lists

    private static func datasets(_ texts: [String]?, format: DataFormat?) throws -> [Dataset] {
        guard let texts else {
            throw UserError(
                "--data is missing", expected: "a folder of images, or several",
                remedy: "pass --data FOLDER, or draw some with --data synthetic:orientation")
        }
        var datasets: [Dataset] = []
        for text in texts {
            // A path may hold a comma itself.
            let isOne = FileManager.default.fileExists(atPath: text)
            for part in isOne ? [text] : text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
                let location = String(part.trimmingPrefix { $0 == " " })
                guard !location.isEmpty else {
                    throw UserError("--data \(text): a name is empty", expected: "paths, separated by commas")
                }
                guard !datasets.contains(where: { $0.location == location }) else {
                    throw UserError("--data names \(location) twice", remedy: "name each once")
                }
                let path = location.split(separator: "?")[0]
                let last = path.split(whereSeparator: { $0 == "/" || $0 == ":" }).last.map(String.init) ?? "data"
                let name = CompareTrial.fileName(last)
                let taken = datasets.count { $0.name == name || $0.name.hasPrefix(name + "-") }
                datasets.append(
                    Dataset(
                        name: taken == 0 ? name : "\(name)-\(taken + 1)", location: location,
                        collection: try DatasetCollection.open(location, format: format)))
            }
        }
        guard !datasets.isEmpty else { throw UserError("--data names nothing", expected: "a folder of images") }
        return datasets
    }

    private static func seeds(_ text: String) throws -> [Int] {
        func refuse(_ found: String) -> UserError {
            UserError(
                "--seeds cannot be used", expected: "how many (1 to 1000), or seeds separated by commas", found: found)
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
        guard parts.count > 1 else {
            guard let count = Int(text), (1...1000).contains(count) else { throw refuse(text) }
            return Array(0..<count)
        }
        let seeds = try parts.map { part in
            guard let seed = Int(part), seed >= 0 else { throw refuse("`\(part)` in \(text)") }
            return seed
        }
        guard Set(seeds).count == seeds.count else { throw refuse("a seed that stands twice in \(text)") }
        return seeds
    }

    private static func depth(of path: String) throws -> Int {
        let model = try ModelRegistry.model(for: try Checkpoint.load(path))
        let size = model.nativeImageSize
        return try model.record(
            RecordingOptions(batch: 1, imageHeight: size.height, imageWidth: size.width, classCount: 2)
        ).blockCount
    }

    // MARK: Checks

    private func checkAxes() throws {
        for (index, axis) in axes.enumerated() {
            guard !axes[..<index].contains(where: { $0.key == axis.key }) else {
                throw UserError("--sweep names `\(axis.key)` twice", remedy: "state its values together")
            }
            let own = methods.flatMap { $0.type.options.map(\.key) }
            guard own.contains(axis.key) || TrialArguments.runKeys.contains(axis.key) else {
                let all = TrialArguments.runKeys.union(TuningRegistry.types.flatMap { $0.options.map(\.key) }).sorted()
                let isOther = all.contains(axis.key)
                throw UserError(
                    isOther
                        ? "--sweep: none of the methods has the setting `\(axis.key)`"
                        : "--sweep: there is no setting `\(axis.key)`",
                    expected: Set(own).union(TrialArguments.runKeys).sorted().joined(separator: ", "),
                    remedy: Suggestion.nearest(to: axis.key, among: all).flatMap {
                        isOther ? nil : "did you mean `\($0)`?"
                    })
            }
        }
        if trials != nil && axes.isEmpty { throw UserError("--trials needs --sweep") }
    }

    /// What would change what is compared is none of the options that every run shares.
    private func checkTraining() throws {
        let options = try parsed(training)
        let stated: [(name: String, isStated: Bool, remedy: String)] = [
            ("method", options.method != nil, "name methods with --methods"),
            ("seed", options.optimization.seed != nil, "pass --seeds"),
            ("resume", options.resume != nil, "pass --resume without a path"),
            ("experiment", options.experiment != nil, "name the folder of the comparison with --output"),
            ("profile", options.profile != nil, "profile one method with ssf train"),
            ("profile-file", options.profileFile != nil, "profile one method with ssf train"),
            ("init-from", options.initFrom != nil, "methods begin alike in a comparison"),
            ("from-scratch", options.scratch.fromScratch, "methods tune a pre-trained model"),
            ("no-test", options.noTest, "a comparison is made on the test part"),
            ("test-split", options.data.testSplit == "none", "a comparison is made on the test part"),
        ]
        for option in stated where option.isStated {
            throw UserError("--\(option.name) is none of the options that all runs share", remedy: option.remedy)
        }
        for key in ["method", "seed", "experiment", "init-from", "from-scratch", "no-test"]
        where file?.entries[key] != nil {
            throw UserError(
                "\(file!.path): `\(key)` is none of the settings that all runs share",
                remedy: stated.first { $0.name == key }!.remedy)
        }
        for key in MethodOptions.keys {
            let isFlagged = training.contains { $0 == "--\(key)" || $0.hasPrefix("--\(key)=") || $0 == "--no-\(key)" }
            guard isFlagged || file?.entries[key] != nil else { continue }
            let method = TuningRegistry.types.first { $0.options.contains { $0.key == key } }!.name
            throw UserError(
                "`\(key)` belongs to a method, not to all of them",
                remedy: "state it with the method: --methods \(method):\(key)=VALUE")
        }
    }

    /// The options of a run.
    ///
    /// - Throws: `UserError` with what is wrong in them.
    func parsed(_ arguments: [String]) throws -> TrainOptions {
        do {
            return try TrainOptions.parse(arguments)
        } catch {
            throw UserError(TrainOptions.message(for: error), remedy: "`ssf train --help` lists the options of a run")
        }
    }
}

/// One text or a list of them.
struct TextList: SettingValue {
    static let expectation = "text, or a list"
    let texts: [String]

    init(_ texts: [String]) { self.texts = texts }

    init?(yaml: Node) {
        guard let texts = [String](yaml: yaml) ?? String(yaml: yaml).map({ [$0] }) else { return nil }
        self.texts = texts
    }

    var yaml: String { texts.yaml }
}

/// `key=a,b` texts; in a YAML file also a mapping of keys to lists.
struct SweepText: SettingValue {
    static let expectation = "keys with lists of values: {lr: [1e-3, 5e-3]}"
    let axes: [String]

    init(axes: [String]) { self.axes = axes }

    init?(yaml: Node) {
        if let list = TextList(yaml: yaml) {
            axes = list.texts
            return
        }
        guard let mapping = yaml.mapping else { return nil }
        var axes: [String] = []
        for (key, value) in mapping {
            guard let key = key.scalar?.string, let values = TextList(yaml: value) else { return nil }
            axes.append("\(key.replacing("_", with: "-"))=\(values.texts.joined(separator: ","))")
        }
        self.axes = axes
    }

    var yaml: String { axes.yaml }
}
