import SSFTuning

/// A method with what it costs.
public struct CostResult: Codable, Sendable, Equatable {
    /// As it was named: `vpt-deep`, `lora:rank=4`.
    public var name: String
    /// For figures: `VPT-Deep (50)`.
    public var title: String
    /// The method with all its settings.
    public var tuning: TuningConfiguration
    public var counts: CostCounts
    public var training: CostSample
    public var test: CostSample

    public init(_ subject: NamedTuning, counts: CostCounts, training: CostSample, test: CostSample) throws {
        (name, title) = (subject.name, subject.title)
        tuning = try TuningRegistry.complete(subject.tuning)
        (self.counts, self.training, self.test) = (counts, training, test)
    }

    /// GFLOP/s of the middle step: counted operations over measured time.
    public var trainingRate: Double { Double(counts.trainingFLOPs) / training.median * 1e-9 }
    public var testRate: Double { Double(counts.inferenceFLOPs) / test.median * 1e-9 }
}

/// What tuning methods cost on one machine in one setting: everything that `ssf-analyze cost` shows.
///
/// The four quantities of Figure 3 of arXiv 2210.08823, with the counts behind them and the formulas of its Table 2.
public struct CostReport: Codable, Sendable {
    public var machine: RooflineReport.Machine
    public var setting: CostSetting
    /// How the numbers came about, for those who read the file alone.
    public var counting: String
    public var methods: [CostResult]

    public init(machine: RooflineReport.Machine, setting: CostSetting, methods: [CostResult]) {
        (self.machine, self.setting, self.methods) = (machine, setting, methods)
        counting =
            "seconds: of a step of training (forward, backward, AdamW) and of a batch at test, every measured one; "
            + "peak_bytes: the most a process held that did nothing else; planned_bytes: inputs, activations and "
            + "gradients; flops: a multiply-add is two; test: of the base's operations where a method merges, else of its "
            + "own; extra: beyond the base with its classifier, of one image; published: Table 2 of arXiv 2210.08823, "
            + "whose formulas for VPT count the products of tokens by tokens alone"
    }

    /// Adds methods, each in the place of one of the same name, in the order of `NamedTuning.standard`. Those that are not
    /// in it, such as `lora:rank=4`, follow the method that they are.
    public mutating func take(_ results: [CostResult]) {
        let names = Set(results.map(\.name))
        methods = methods.filter { !names.contains($0.name) } + results
        let order = NamedTuning.standard.map(\.tuning.method)
        func place(_ result: CostResult) -> Int { order.firstIndex(of: result.tuning.method) ?? order.count }
        // Sorting is stable in fact, not by promise.
        methods = methods.enumerated().sorted { (place($0.element), $0.offset) < (place($1.element), $1.offset) }
            .map(\.element)
    }

    /// Whether the numbers of another run can stand beside these.
    public func isComparable(with other: CostReport) -> Bool {
        setting == other.setting && machine.cpu == other.machine.cpu
            && machine.instructionSet == other.machine.instructionSet && machine.threads == other.machine.threads
            && machine.program == other.machine.program
    }

    /// The machine line.
    public var caption: String {
        let precision = setting.precision == .bfloat16 ? "mixed precision (bf16)" : "single precision"
        return "\(setting.model), \(setting.hasRandomWeights ? "random weights, " : "")\(setting.imageSize) pixels, "
            + "batch \(setting.batch), \(precision), \(setting.classes) classes; \(machine.cpu), "
            + "\(machine.instructionSet.rawValue), \(setting.threads) thread\(setting.threads == 1 ? "" : "s") "
            + "(\(machine.affinity)), \(machine.date.prefix(10)), \(machine.program). Time: the median of the steps. "
            + "Memory: the peak of a process of its own. A method that merges is tested as the base with other numbers "
            + "in it."
    }
}
