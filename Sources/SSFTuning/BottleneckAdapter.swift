import SSFGraph
import SSFModels
import SSFTensors

/// Adapter: behind a sublayer, and inside its residual branch, `z <- z + up(gelu(down(z)))` through a narrow middle.
///
/// - Sites: behind `mlp.fc2` of every block (form `pfeiffer`, that of the SSF and VPT tables), or behind `attn.proj` too
///   (form `houlsby`); before layer scale and drop-path.
/// - Trains: 2 d h + h + d numbers for each, h = d / `reduction` or `bottleneck`, and the classifier.
/// - Begins: `down` uniform as `torch.nn.Linear` begins, `up` and the biases zero: the model begins as the pre-trained
///   one. With `init: dead`, `down` is zero too, as in VPT's released code: no gradient ever reaches either matrix then.
/// - Does not merge: GELU stands between its matrices.
/// - Source: arXiv 1902.00751 (Houlsby), 2005.00247 (Pfeiffer); counts of arXiv 2210.08823, where the reduction is 64.
public struct BottleneckAdapter: TuningMethod {
    public static let name = "adapter"
    public static let summary = "small bottlenecks behind the sublayers (Pfeiffer or Houlsby)"
    public static let options = [
        TuningOption(
            "form", .choice(["pfeiffer", "houlsby"]), standard: .string("pfeiffer"),
            help: "pfeiffer: behind the MLP; houlsby: behind attention too"),
        TuningOption(
            "reduction", .count(1...65_536), standard: .integer(64), help: "the bottleneck is the width divided by this"
        ),
        TuningOption("bottleneck", .count(1...65_536), help: "width of the bottleneck, instead of reduction"),
        TuningOption(
            "init", .choice(["live", "dead"]), standard: .string("live"),
            help: "dead: both matrices zero, as VPT's code began; they never learn then"),
    ]

    private let suffixes: [String]
    private let reduction: Int
    private let bottleneck: Int?
    private let isDead: Bool

    public init(options: TuningOptions) {
        suffixes = options.choice("form") == "houlsby" ? ["attn.proj", "mlp.fc2"] : ["mlp.fc2"]
        reduction = options.count("reduction")
        bottleneck = options.optionalCount("bottleneck")
        isDead = options.choice("init") == "dead"
    }

    public var mergeObstacle: String? { "GELU stands between its two matrices, which no one weight can stand for" }

    public var warnings: [String] {
        isDead
            ? ["init dead: with both matrices zero no gradient reaches either of them; only the last bias will learn"]
            : []
    }

    /// Width of the bottleneck for features of this width.
    private func hidden(_ width: Int) -> Int { bottleneck ?? width / reduction }

    /// The linear operations behind which the adapters stand.
    private func sites(in program: Program) throws -> [LinearOperation] {
        try suffixes.flatMap { try program.blockLinears($0, for: Self.name) }
    }

    public func attach(to program: inout Program, of model: any Model) throws {
        for linear in try sites(in: program) {
            let width = linear.outputChannels
            let hidden = hidden(width)
            guard hidden > 0 else {
                throw UserError(
                    "`reduction` of adapter leaves no bottleneck",
                    expected: "at most \(width), the width of \(linear.site)",
                    found: "\(reduction)")
            }
            let name = "\(linear.site).adapter"
            program.splice(after: program.operationIndex(atSite: linear.site)!) { program, value in
                var branch = program.linear(
                    value, site: "\(name).down", outputChannels: hidden,
                    initializer: isDead ? .constant(0) : .kaimingUniform(inputs: width))
                branch = program.gelu(branch, site: "\(name).act")
                branch = program.linear(
                    branch, site: "\(name).up", outputChannels: width, initializer: .constant(0))
                return program.add(value, branch, site: "\(name).add")
            }
            program.train(sites: ["\(name).down", "\(name).up"])
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        ((try? sites(in: program)) ?? []).reduce(program.classifierCount(of: model)) { count, linear in
            let (d, h) = (linear.outputChannels, hidden(linear.outputChannels))
            return count + 2 * d * h + h + d
        }
    }
}
