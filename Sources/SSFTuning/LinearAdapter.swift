import SSFGraph
import SSFModels
import SSFTensors

/// RepAdapter: a linear bottleneck before attention and MLP, `x <- x + s (B (A x + a) + b)` behind the norm, which folds
/// into the weight that reads it.
///
/// - Sites: before `attn.qkv` and `mlp.fc1` of every block (form `block`), or before `attn.qkv` alone (form `attn`).
/// - Trains: d h + h + d h / g + d numbers for each, with width d, bottleneck h and g groups of B, and the classifier.
/// - Begins: A uniform (Xavier), B and the biases zero: the model begins as the pre-trained one.
/// - Merges: `W' = W (I + s B A)`, `b' = b + s W (B a + b_B)`.
/// - Source: arXiv 2302.08106 and its code; the dropout between A and B is left out.
public struct LinearAdapter: TuningMethod {
    public static let name = "repadapter"
    public static let summary = "linear bottlenecks before attention and MLP (RepAdapter); merges"
    public static let options = [
        TuningOption(
            "form", .choice(["block", "attn"]), standard: .string("block"),
            help: "block: before attention and MLP; attn: before attention"),
        TuningOption("bottleneck", .count(1...65_536), standard: .integer(8), help: "width of the bottleneck"),
        TuningOption("groups", .count(1...65_536), standard: .integer(2), help: "groups of the second matrix"),
        TuningOption("adapter-scale", .number(1e-6...1e6), standard: .number(1), help: "factor of the branch, s"),
    ]

    private let suffixes: [String]
    private let bottleneck: Int
    private let groups: Int
    private let scale: Double

    public init(options: TuningOptions) throws {
        suffixes = options.choice("form") == "attn" ? ["attn.qkv"] : ["attn.qkv", "mlp.fc1"]
        bottleneck = options.count("bottleneck")
        groups = options.count("groups")
        scale = options.number("adapter-scale")
        guard bottleneck % groups == 0 else {
            throw UserError(
                "`groups` of repadapter does not divide the bottleneck", expected: "a divisor of \(bottleneck)",
                found: "\(groups)")
        }
    }

    /// The linear operations before which the adapters stand.
    private func sites(in program: Program) throws -> [LinearOperation] {
        try suffixes.flatMap { try program.blockLinears($0, for: Self.name) }
    }

    public func attach(to program: inout Program, of model: any Model) throws {
        for linear in try sites(in: program) {
            let width = program.inputChannels(of: linear)
            guard width % groups == 0 else {
                throw UserError(
                    "`groups` of repadapter does not divide the channels of \(linear.site)",
                    expected: "a divisor of \(width)", found: "\(groups)")
            }
            let name = "\(linear.site).adapter"
            program.splice(before: program.operationIndex(atSite: linear.site)!) { program, value in
                let down = program.linear(
                    value, site: "\(name).A", outputChannels: bottleneck,
                    initializer: .xavierUniform(inputs: width, outputs: bottleneck))
                let up = program.groupedLinear(
                    down, site: "\(name).B", outputChannels: width, groups: groups, initializer: .constant(0))
                return program.add(value, program.scaled(up, by: scale, site: name), site: "\(name).add")
            }
            program.train(sites: ["\(name).A", "\(name).B"])
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        ((try? sites(in: program)) ?? []).reduce(program.classifierCount(of: model)) { count, linear in
            let (d, h) = (program.inputChannels(of: linear), bottleneck)
            return count + d * h + h + d * (h / groups) + d
        }
    }

    // MARK: Merging

    public func merge(_ tensors: [String: Tensor], program: Program, model: any Model) throws -> [String: Tensor] {
        var result = tensors
        for linear in try sites(in: program) {
            let width = program.inputChannels(of: linear)
            func take(_ name: String, count: Int) throws -> [Float] {
                let full = "\(linear.site).adapter.\(name)"
                guard let tensor = result.removeValue(forKey: full) else {
                    throw UserError("the adapter has no \(full)")
                }
                guard tensor.count == count else {
                    throw UserError(
                        "the adapter does not fit \(full)", expected: "\(count) numbers", found: "\(tensor.count)")
                }
                return tensor.values
            }
            let a = try take("A.weight", count: bottleneck * width)
            let aBias = try take("A.bias", count: bottleneck)
            let b = dense(try take("B.weight", count: width * bottleneck / groups), width: width)
            let bBias = try take("B.bias", count: width)
            guard let weight = result["\(linear.site).weight"] else {
                throw UserError("the base has no tensor \(linear.site).weight")
            }
            let rows = linear.outputChannels

            // W B before (W B) A: the bottleneck is narrow.
            let base = weight.values
            let folded = MatrixProduct.of(base, rows: rows, inner: width, b, columns: bottleneck)
            let delta = MatrixProduct.of(folded, rows: rows, inner: bottleneck, a, columns: width)
            result["\(linear.site).weight"] = Tensor(
                base.indices.map { Float(Double(base[$0]) + scale * delta[$0]) }, shape: weight.shape)

            let fromA = MatrixProduct.of(folded, rows: rows, inner: bottleneck, aBias, columns: 1)
            let fromB = MatrixProduct.of(base, rows: rows, inner: width, bBias, columns: 1)
            let bias = result["\(linear.site).bias"]?.values ?? [Float](repeating: 0, count: rows)
            result["\(linear.site).bias"] = Tensor(
                bias.indices.map { Float(Double(bias[$0]) + scale * (fromA[$0] + fromB[$0])) }, shape: [rows])
        }
        return result
    }

    /// B [width, bottleneck] with its zeros, from the groups [width, bottleneck / groups].
    private func dense(_ grouped: [Float], width: Int) -> [Float] {
        let inner = bottleneck / groups
        var dense = [Float](repeating: 0, count: width * bottleneck)
        for row in 0..<width {
            let first = row / (width / groups) * inner
            for k in 0..<inner { dense[row * bottleneck + first + k] = grouped[row * inner + k] }
        }
        return dense
    }

    public func unmerge(
        _ tensors: [String: Tensor], adapter: [String: Tensor], program: Program, model: any Model
    ) throws -> (tensors: [String: Tensor], notes: [String]) {
        throw UserError(
            "repadapter multiplies weights of the base, which is not undone to its last digit",
            remedy: "give the base with --base")
    }
}
