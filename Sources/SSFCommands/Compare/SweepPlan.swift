import SSFTensors

/// Values of a setting from which a sweep chooses.
public struct SweepAxis: Sendable, Equatable {
    public var key: String
    public var values: [String]

    public init(key: String, values: [String]) { (self.key, self.values) = (key, values) }

    /// `lr=1e-3,5e-3`; words of one value stand between `+`.
    ///
    /// - Throws: `UserError` for what has no values, or one of them twice.
    public init(_ text: String) throws {
        let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let values =
            pair.count == 2
            ? pair[1].split(separator: ",", omittingEmptySubsequences: false)
                .map { String($0.trimmingPrefix { $0 == " " }) } : []
        guard !pair[0].isEmpty, !values.isEmpty, values.allSatisfy({ !$0.isEmpty }) else {
            throw UserError("--sweep \(text): values are missing", expected: "KEY=A,B,C", found: text)
        }
        let doubled = values.indices.first { values[..<$0].contains(values[$0]) }
        if let doubled { throw UserError("--sweep \(text): \(values[doubled]) stands there twice") }
        self.init(key: pair[0], values: values)
    }
}

/// The runs by which the settings of a method are chosen.
///
/// Every method has the same number of runs, the budget. Where a method has more combinations than that, as many are
/// drawn from them; where it has fewer, because it lacks a key, the runs that are left repeat its combinations with
/// further seeds, which makes its choice surer.
public struct SweepPlan: Sendable, Equatable {
    public struct Trial: Sendable, Equatable {
        /// By key, in the order of the axes.
        public var settings: [Setting]
        /// 0 for the first seed of the comparison, 1 for the one behind it, ...
        public var round: Int
    }

    /// Empty where the method has none of the keys: there is nothing to choose.
    public var trials: [Trial]
    /// Combinations that the method has.
    public var combinations: Int

    /// - Parameters:
    ///   - axes: those of the keys that the method has.
    ///   - budget: runs of the method.
    ///   - stream: names the method, for the draw.
    public init(axes: [SweepAxis], budget: Int, stream: String) {
        guard !axes.isEmpty else {
            (trials, combinations) = ([], 1)
            return
        }
        var grid: [[Setting]] = [[]]
        for axis in axes {
            grid = grid.flatMap { settings in axis.values.map { settings + [Setting(axis.key, $0)] } }
        }
        combinations = grid.count
        if grid.count > budget {
            var random = RandomGenerator(seed: 0, stream: "sweep." + stream)
            grid = random.permutation(grid.count).prefix(budget).sorted().map { grid[$0] }
        }
        trials = (0..<budget).map { Trial(settings: grid[$0 % grid.count], round: $0 / grid.count) }
    }

    /// The budget that lets every method try all of its combinations.
    ///
    /// - Parameter axes: of each method, those of the keys that it has.
    public static func budget(_ axes: [[SweepAxis]]) -> Int {
        axes.map { $0.reduce(1) { $0 * $1.values.count } }.max() ?? 1
    }

    /// How a run of a sweep did on the validation part.
    public struct Score: Sendable, Equatable {
        public var settings: [Setting]
        /// nil where the run diverged or failed.
        public var validation: (top1: Double, loss: Double)?

        public init(settings: [Setting], validation: (top1: Double, loss: Double)?) {
            (self.settings, self.validation) = (settings, validation)
        }

        public static func == (a: Score, b: Score) -> Bool {
            a.settings == b.settings && a.validation?.top1 == b.validation?.top1
                && a.validation?.loss == b.validation?.loss
        }
    }

    /// The settings with the highest mean top-1 on the validation part; among equals the lowest mean loss, then those
    /// that were named first. Settings with a run that diverged or failed are not chosen.
    ///
    /// - Returns: nil where every setting has such a run.
    public static func choice(_ scores: [Score]) -> [Setting]? {
        var order: [[Setting]] = []
        for score in scores where !order.contains(score.settings) { order.append(score.settings) }
        var best: (settings: [Setting], top1: Double, loss: Double)?
        for settings in order {
            let runs = scores.filter { $0.settings == settings }
            let found = runs.compactMap(\.validation)
            guard found.count == runs.count else { continue }
            let top1 = found.reduce(0) { $0 + $1.top1 } / Double(found.count)
            let loss = found.reduce(0) { $0 + $1.loss } / Double(found.count)
            if best == nil || (top1, -loss) > (best!.top1, -best!.loss) { best = (settings, top1, loss) }
        }
        return best?.settings
    }
}

/// A setting of a run as it is written.
public struct Setting: Sendable, Hashable, Codable {
    public var key: String
    public var value: String

    public init(_ key: String, _ value: String) { (self.key, self.value) = (key, value) }
}
