import SSFTensors
import SSFTuning

/// One run of a comparison: the arguments of an `ssf train`, and where its folder lies.
public struct CompareTrial: Sendable, Equatable {
    public enum Stage: String, Sendable, Codable {
        /// Chooses settings: validated, never tested.
        case sweep
        /// Is reported.
        case final
    }

    public var dataset: String
    public var method: String
    public var stage: Stage
    public var seed: Int
    /// Those of the sweep, tried or chosen.
    public var settings: [Setting]
    /// Of `ssf train`, without those that say where it writes.
    public var arguments: [String]
    /// Below the folder of the comparison.
    public var folder: String
    /// Of the run's own folder in it.
    public var name: String

    public var path: String { folder + "/" + name }

    /// Names as they may stand in a path: letters, digits and `-_.=+`.
    static func fileName(_ text: String) -> String {
        String(text.map { ($0.isASCII && ($0.isLetter || $0.isNumber)) || "-_.=+".contains($0) ? $0 : "-" })
    }

    /// The name of the folder of a run: stage, settings and seed.
    static func name(stage: Stage, settings: [Setting], seed: Int) -> String {
        let parts = (stage == .sweep ? ["sweep"] : []) + settings.map { "\($0.key)=\($0.value)" } + ["seed-\(seed)"]
        return fileName(parts.joined(separator: "-"))
    }
}

/// How settings become options of `ssf train`.
enum TrialArguments {
    /// Keys of runs that are not a method's and may be stated for one method or swept: those with one value or a yes or
    /// no, which do not say what is compared.
    static let runKeys: Set<String> = Set(TrainSettings.keys).subtracting(MethodOptions.keys)
        .subtracting([
            "model", "method", "data", "data-format", "train-split", "val-split", "test-split", "val-fraction",
            "test-fraction", "split-seed", "no-test", "test-last", "exif-orientation", "skip-bad-images", "workers",
            "img-size", "mean", "std", "scale", "ratio", "no-aug", "seed", "from-scratch", "patch-size", "embed-dim",
            "depth",
            "num-heads", "mlp-ratio", "no-feature-cache", "recompute", "threads", "output", "experiment", "init-from",
        ])
    private static let switches: Set<String> = ["decay-all", "sched-on-updates", "direct-resize"]

    /// - Parameter isSwitch: whether the option is a flag and its opposite.
    static func option(_ key: String, _ value: String, isSwitch: Bool? = nil) -> String {
        if isSwitch ?? switches.contains(key), value == "true" || value == "false" {
            return value == "true" ? "--\(key)" : "--no-\(key)"
        }
        return "--\(key)=\(value)"
    }

    /// The options that name a method and its own settings.
    static func options(_ tuning: TuningConfiguration) throws -> [String] {
        let declared = try TuningRegistry.type(named: tuning.method).options
        return ["--method=\(tuning.method)"]
            + declared.compactMap { option in
                guard let value = tuning.options[option.key] else { return nil }
                return self.option(option.key, value.string ?? value.text, isSwitch: option.kind == .flag)
            }
    }

    /// The option of a setting of a sweep.
    static func option(_ setting: Setting, of method: any TuningMethod.Type) -> String {
        let own = method.options.first { $0.key == setting.key }
        let value = own.map { $0.value(of: setting.value) }
        return option(
            setting.key, value.map { $0.string ?? $0.text } ?? setting.value, isSwitch: own.map { $0.kind == .flag })
    }
}
