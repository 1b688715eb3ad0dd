import SSFGraph
import SSFModels
import SSFTensors

/// LoRA: beside frozen weights runs a product of two thin ones, `y = W x + b + (alpha / r) B A x`.
///
/// - Sites: `targets` in every block: `qkv` (the default), or any of `q`, `k` and `v`, each with factors of its own;
///   `proj`, `fc1`, `fc2`.
/// - Trains: r (K + N) numbers for each W [N, K], and the classifier: 4 r d L for qkv of a ViT of width d and depth L,
///   and as many for q and v.
/// - Begins: A uniform as `torch.nn.Linear` begins, B zero, so that the model begins as the pre-trained one.
/// - Merges: `W' = W + (alpha / r) B A`.
/// - Names: `blocks.0.attn.qkv.lora_A.weight` [r, K] and `...lora_B.weight` [N, r], as Hugging Face's PEFT has them.
/// - Source: arXiv 2106.09685. There is no dropout between the factors.
public struct LowRankTuning: TuningMethod {
    public static let name = "lora"
    public static let summary = "low-rank changes of attention or MLP weights (LoRA); merges"
    public static let options = [
        TuningOption("rank", .count(1...4096), standard: .integer(8), help: "r, the width between the two factors"),
        TuningOption(
            "alpha", .number(1e-6...1e6), help: "the change is scaled by alpha / rank; the rank where left out"),
        TuningOption(
            "targets", .choices(["qkv", "q", "k", "v", "proj", "fc1", "fc2"]), standard: .string("qkv"),
            help: "weights to change: qkv, or q,v"),
    ]

    public let rank: Int
    /// alpha / r.
    public let scaling: Double
    private let targets: [String]

    public init(options: TuningOptions) throws {
        rank = options.count("rank")
        scaling = (options.optionalNumber("alpha") ?? Double(rank)) / Double(rank)
        var seen: Set<String> = []
        targets = options.words("targets").filter { seen.insert($0).inserted }
        guard !targets.isEmpty else {
            throw UserError("`targets` of lora names nothing", expected: "qkv, or q,v", remedy: "leave it out for qkv")
        }
        if seen.contains("qkv"), !seen.isDisjoint(with: ["q", "k", "v"]) {
            throw UserError(
                "`targets` of lora names weights twice", expected: "qkv, or some of q, k and v",
                found: targets.joined(separator: ","))
        }
    }

    /// A change of some rows of the weight of one linear operation.
    struct Change {
        /// `blocks.0.attn.q`, under which the factors lie.
        let name: String
        /// `blocks.0.attn.qkv`, which changes.
        let site: String
        let rows: Range<Int>
        let inputs: Int
        let isWhole: Bool
    }

    /// Every change, grouped by the linear operation, in order.
    ///
    /// - Throws: `UserError` where a target does not exist, or is narrower than the rank.
    func changes(in program: Program) throws -> [[Change]] {
        let sites = ["qkv": "attn.qkv", "proj": "attn.proj", "fc1": "mlp.fc1", "fc2": "mlp.fc2"]
        let parts = ["q", "k", "v"]
        var groups: [[Change]] = []
        for target in targets where sites[target] != nil {
            for linear in try program.blockLinears(sites[target]!, for: Self.name) {
                groups.append([
                    Change(
                        name: linear.site, site: linear.site, rows: 0..<linear.outputChannels,
                        inputs: program.inputChannels(of: linear), isWhole: true)
                ])
            }
        }
        let chosen = parts.filter(targets.contains)
        if !chosen.isEmpty {
            for linear in try program.blockLinears("attn.qkv", for: Self.name) {
                let width = linear.outputChannels / 3
                let attention = linear.site.dropLast(".qkv".count)
                groups.append(
                    chosen.map { part in
                        let first = parts.firstIndex(of: part)! * width
                        return Change(
                            name: "\(attention).\(part)", site: linear.site, rows: first..<first + width,
                            inputs: program.inputChannels(of: linear), isWhole: false)
                    })
            }
        }
        for change in groups.joined() where rank > min(change.inputs, change.rows.count) {
            throw UserError(
                "`rank` of lora is too large",
                expected: "at most \(min(change.inputs, change.rows.count)), the width of \(change.name)",
                found: "\(rank)")
        }
        return groups
    }

    public func attach(to program: inout Program, of model: any Model) throws {
        for group in try changes(in: program) {
            let index = program.operationIndex(atSite: group[0].site)!
            let input = program.operations[index].wiring.inputs[0]
            program.splice(after: index) { program, output in
                let branches = group.map { change in
                    let down = program.linear(
                        input, site: "\(change.name).lora_A", outputChannels: rank, bias: false,
                        initializer: .kaimingUniform(inputs: change.inputs))
                    let up = program.linear(
                        program.scaled(down, by: scaling, site: "\(change.name).lora"), site: "\(change.name).lora_B",
                        outputChannels: change.rows.count, bias: false, initializer: .constant(0))
                    return (value: up, offset: change.rows.lowerBound)
                }
                return group[0].isWhole
                    ? program.add(output, branches[0].value, site: "\(group[0].name).lora")
                    : program.addToChannels(output, branches: branches, site: "\(group[0].site).lora")
            }
            program.train(sites: group.flatMap { ["\($0.name).lora_A", "\($0.name).lora_B"] })
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        let changes = (try? changes(in: program))?.joined().map { rank * ($0.inputs + $0.rows.count) } ?? []
        return changes.reduce(program.classifierCount(of: model), +)
    }

    // MARK: Merging

    public func merge(_ tensors: [String: Tensor], program: Program, model: any Model) throws -> [String: Tensor] {
        var result = tensors
        for change in try changes(in: program).joined() {
            result["\(change.name).lora_A.weight"] = nil
            result["\(change.name).lora_B.weight"] = nil
            try add(change, of: tensors, times: scaling, to: &result)
        }
        return result
    }

    public func unmerge(
        _ tensors: [String: Tensor], adapter: [String: Tensor], program: Program, model: any Model
    ) throws -> (tensors: [String: Tensor], notes: [String]) {
        var result = tensors
        for change in try changes(in: program).joined() { try add(change, of: adapter, times: -scaling, to: &result) }
        return (result, [])
    }

    /// `W[rows] += factor B A`, in double precision.
    private func add(
        _ change: Change, of adapter: [String: Tensor], times factor: Double, to tensors: inout [String: Tensor]
    ) throws {
        guard let a = adapter["\(change.name).lora_A.weight"], let b = adapter["\(change.name).lora_B.weight"] else {
            throw UserError("the adapter has no lora_A and lora_B for \(change.name)")
        }
        guard a.count == rank * change.inputs, b.count == rank * change.rows.count else {
            throw UserError(
                "the adapter does not fit \(change.name)",
                expected: "\(Shape([rank, change.inputs])) and \(Shape([change.rows.count, rank]))",
                found: "\(a.shape) and \(b.shape)")
        }
        guard let weight = tensors["\(change.site).weight"] else {
            throw UserError("the base has no tensor \(change.site).weight")
        }
        let delta = MatrixProduct.of(
            b.values, rows: change.rows.count, inner: rank, a.values, columns: change.inputs)
        var values = weight.values
        let first = change.rows.lowerBound * change.inputs
        for i in delta.indices { values[first + i] = Float(Double(values[first + i]) + factor * delta[i]) }
        tensors["\(change.site).weight"] = Tensor(values, shape: weight.shape)
    }
}

/// A small matrix product in double precision, for merging.
enum MatrixProduct {
    /// `a b` of a [rows, inner] and b [inner, columns], row-major.
    static func of(
        _ a: some Collection<some BinaryFloatingPoint>, rows: Int, inner: Int,
        _ b: some Collection<some BinaryFloatingPoint>, columns: Int
    ) -> [Double] {
        let a = a.map { Double($0) }
        let b = b.map { Double($0) }
        precondition(a.count == rows * inner && b.count == inner * columns, "the factors do not have these shapes")
        var product = [Double](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for k in 0..<inner {
                let factor = a[row * inner + k]
                for column in 0..<columns { product[row * columns + column] += factor * b[k * columns + column] }
            }
        }
        return product
    }
}
