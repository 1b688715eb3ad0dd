import SSFModels
import SSFTuning

/// Measures methods one after another, training and test of each, by a process of its own for each of the two.
public struct CostMeasurement {
    /// How far it is.
    public enum Progress {
        case begins(NamedTuning, CostSample.Part, index: Int, count: Int)
        case finished(CostResult)
    }

    /// A method with its counts, which are known before anything is measured.
    public struct Item: Sendable {
        public var subject: NamedTuning
        public var counts: CostCounts
    }

    public let setting: CostSetting
    public let items: [Item]

    /// Counts the methods.
    ///
    /// - Throws: `UserError` where a method does not fit the model.
    public init(_ subjects: [NamedTuning], of model: any Model, setting: CostSetting) throws {
        self.setting = setting
        items = try subjects.map { subject in
            Item(subject: subject, counts: try CostCounts(subject.tuning, of: model, setting: setting))
        }
    }

    /// About how long it takes, in seconds, where operations go at a rate.
    ///
    /// - Parameters:
    ///   - rate: in FLOP/s.
    ///   - start: seconds that a process takes before its first step.
    ///   - skipped: names of methods that are not measured again.
    public func estimatedSeconds(rate: Double, start: Double, skipping skipped: Set<String> = []) -> Double {
        items.filter { !skipped.contains($0.subject.name) }.reduce(0) { total, item in
            total
                + [item.counts.trainingFLOPs, item.counts.inferenceFLOPs].reduce(0) { total, flops in
                    let step = Double(flops) / rate
                    let steps = min(
                        Double(setting.steps), max(1, (setting.secondsPerMeasurement / step).rounded(.up)))
                    return total + start + step * (steps + Double(setting.warmUpSteps))
                }
        }
    }

    /// Measures what is not known yet.
    ///
    /// - Parameters:
    ///   - checkpoint: path of the base model.
    ///   - known: results of an earlier run in the same setting, which are taken over.
    ///   - progress: is called before each measurement and after each method.
    ///   - sample: has a process measure, and waits for it.
    public func run(
        checkpoint: String, known: [CostResult] = [], progress: (Progress) throws -> Void,
        sample: (CostRequest) throws -> CostSample
    ) throws -> [CostResult] {
        let count = 2 * items.count { item in !known.contains { $0.name == item.subject.name } }
        var index = 0
        return try items.map { item in
            if let known = known.first(where: { $0.name == item.subject.name }) { return known }
            func measure(_ part: CostSample.Part) throws -> CostSample {
                try progress(.begins(item.subject, part, index: index, count: count))
                index += 1
                return try sample(
                    CostRequest(checkpoint: checkpoint, tuning: item.subject.tuning, part: part, setting: setting))
            }
            let result = try CostResult(
                item.subject, counts: item.counts, training: try measure(.training), test: try measure(.test))
            try progress(.finished(result))
            return result
        }
    }
}
