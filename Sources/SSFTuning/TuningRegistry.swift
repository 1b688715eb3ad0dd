import SSFModels
import SSFTensors

/// A method and its settings, as a configuration file or an adapter folder states them.
public struct TuningConfiguration: Sendable, Hashable, Codable {
    public var method: String

    public init(method: String) {
        self.method = method
    }
}

/// The methods that exist, by name.
public enum TuningRegistry {
    typealias Maker = @Sendable (TuningConfiguration) throws -> any TuningMethod

    static let makers: [(name: String, summary: String, make: Maker)] = [
        (ScalingAndShifting.name, ScalingAndShifting.summary, { _ in ScalingAndShifting() }),
        (LinearProbing.name, LinearProbing.summary, { _ in LinearProbing() }),
        (FullTuning.name, FullTuning.summary, { _ in FullTuning() }),
    ]

    /// Names and one-line summaries, in the order of help.
    public static var methods: [(name: String, summary: String)] { makers.map { ($0.name, $0.summary) } }

    /// The method with this configuration.
    ///
    /// - Throws: `UserError` with the nearest name where there is none.
    public static func method(_ configuration: TuningConfiguration) throws -> any TuningMethod {
        guard let maker = makers.first(where: { $0.name == configuration.method }) else {
            let names = makers.map(\.name)
            let nearest = names.min { distance($0, configuration.method) < distance($1, configuration.method) }!
            throw UserError(
                "there is no method \"\(configuration.method)\"", expected: names.joined(separator: ", "),
                remedy: "did you mean \(nearest)?")
        }
        return try maker.make(configuration)
    }

    /// Levenshtein's distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let next = min(row[j + 1] + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
