/// What a run does where nobody says otherwise, by method and by the kind of data: the one table that `ssf train --help`
/// prints and the README repeats.
public struct TrainingDefaults: Sendable, Equatable {
    /// What the images are, which decides how they are shown.
    public enum DataKind: String, Sendable, CaseIterable {
        /// VTAB lists, CIFAR and drawn images: shown whole, resized directly, not augmented.
        case benchmark = "lists, CIFAR, drawn"
        /// Folders and tables of photographs: random resized crop and horizontal flip; evaluated on the centre crop.
        case photographs = "folders, CSV"
    }

    public var learningRate: Double
    public var weightDecay: Double
    public var epochs: Int
    /// Warm-up as a part of the epochs.
    public var warmupShare: Double
    public var batchSize: Int
    public var augments: Bool

    /// The defaults of a method on a kind of data; a method that is not in the table has those of `ssf`.
    public static func of(method: String, data: DataKind) -> TrainingDefaults {
        TrainingDefaults(
            learningRate: learningRates.first { $0.method == method }?.rate ?? 5e-3, weightDecay: 5e-5,
            epochs: data == .benchmark ? 30 : 10, warmupShare: data == .benchmark ? 0.1 : 0.2,
            batchSize: data == .benchmark ? 64 : 32, augments: data == .photographs)
    }

    /// From sweeps on the validation part of one set (hand signs in VTAB-1k's form, ViT-Tiny at 64x64, 8 epochs; 1e-3, 3e-3,
    /// 1e-2, 3e-2): the best rate, halved where three times as much no longer learns, as for ssf, bias, lora,
    /// repadapter and vpt-deep. Those of linear and full are older; full would bear more on a model of this size.
    private static let learningRates: [(method: String, rate: Double)] = [
        ("ssf", 5e-3), ("linear", 1e-2), ("full", 2e-4), ("bias", 5e-3), ("ln", 1e-2), ("lora", 5e-3),
        ("adapter", 1e-2), ("adaptformer", 1e-2), ("vpt-shallow", 1e-2), ("vpt-deep", 5e-3), ("repadapter", 5e-3),
    ]

    /// The table for people, within 80 columns: what the data decide, then what the method decides.
    public static var table: [String] {
        var byData = TextTable(["data", "decay", "epochs", "warmup", "batch", "augment"])
        for kind in DataKind.allCases {
            let row = of(method: "ssf", data: kind)
            byData.add([
                kind.rawValue, String(row.weightDecay), String(row.epochs),
                "\(Int((row.warmupShare * Double(row.epochs)).rounded()))", String(row.batchSize),
                row.augments ? "crop, flip" : "none",
            ])
        }
        var byMethod = TextTable(["method", "lr"])
        for (method, rate) in learningRates { byMethod.add([method, String(rate)]) }
        return byData.lines() + [""] + byMethod.lines()
    }
}
