import SSFGraph
import SSFModels
import SSFTensors

/// SSF: behind every operation with linear coefficients, `y = scale * x + shift`, both trained; the backbone is frozen.
///
/// - Sites: every linear and every norm but the classifier and the norm behind pooling; for the plain ViT those of the
///   reference: `patch_embed.proj`, `norm1`, `attn.qkv`, `attn.proj`, `norm2`, `mlp.fc1`, `mlp.fc2` of each block, and
///   `norm`.
/// - Trains: 2 (d + L (1 + 3 + 1 + 1 + 4 + 1) d + d) numbers for a ViT of width d and depth L with hidden width 4 d, and
///   the classifier.
/// - Merges: `W' = diag(scale) W`, `b' = scale * b + shift`; norms alike.
/// - Source: arXiv 2210.08823, equations 2 to 5; initial values of its code.
public struct ScalingAndShifting: TuningMethod {
    public static let name = "ssf"
    public static let summary = "scale and shift the features of a frozen backbone; merges to zero overhead"

    /// Standard deviation of the initial scale around 1 and of the initial shift around 0.
    public var deviation = 0.02

    public init(deviation: Double = 0.02) {
        self.deviation = deviation
    }

    /// A site: its name, its width, and the base's parameters that it folds into.
    struct Site {
        let name: String
        let width: Int
        let isNorm: Bool
    }

    /// The sites of a recorded program, in order.
    static func sites(in program: Program, of model: any Model) -> [Site] {
        let excluded = Set(model.classifierSites + model.poolingSites)
        return program.operations.compactMap { operation in
            guard !excluded.contains(operation.site) else { return nil }
            let width = program.shape(of: operation.wiring.output)[-1]
            if operation is LinearOperation { return Site(name: operation.site, width: width, isNorm: false) }
            if operation is LayerNormOperation { return Site(name: operation.site, width: width, isNorm: true) }
            return nil
        }
    }

    public func attach(to program: inout Program, of model: any Model) throws {
        for site in Self.sites(in: program, of: model) {
            let index = program.operationIndex(atSite: site.name)!
            let scale = program.parameter(
                "\(site.name).scale", shape: [site.width], initializer: .normal(mean: 1, deviation: deviation))
            let shift = program.parameter(
                "\(site.name).shift", shape: [site.width], initializer: .normal(mean: 0, deviation: deviation))
            program.train(scale, decays: false)
            program.train(shift, decays: false)
            let output = program.operations[index].wiring.output
            program.insert(
                ScaleAndShiftOperation(site: "\(site.name).ssf", input: output, scale: scale, shift: shift),
                after: index)
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        Self.sites(in: program, of: model).reduce(0) { $0 + 2 * $1.width } + program.classifierCount(of: model)
    }

    // MARK: Merging

    public func merge(_ tensors: [String: Tensor], program: Program, model: any Model) throws -> [String: Tensor] {
        var result = tensors
        for site in Self.sites(in: program, of: model) {
            guard let scale = result.removeValue(forKey: "\(site.name).scale"),
                let shift = result.removeValue(forKey: "\(site.name).shift")
            else { throw UserError("the adapter has no scale and shift for \(site.name)") }
            try fold(site, into: &result, scale: scale.values, shift: shift.values, program: program)
        }
        return result
    }

    private func fold(
        _ site: Site, into tensors: inout [String: Tensor], scale: [Float], shift: [Float], program: Program
    ) throws {
        let weightName = "\(site.name).weight"
        guard let weight = tensors[weightName] else { throw UserError("the base has no tensor \(weightName)") }
        tensors[weightName] = Self.scaleRows(weight, by: scale.map(Double.init))

        // A linear without bias whose shift the position embedding takes up keeps its form, and with it loads in timm.
        let biasName = "\(site.name).bias"
        let bias = tensors[biasName]?.values
        if bias == nil, site.name == "patch_embed.proj", let position = tensors["pos_embed"] {
            let assembly = program.operations.first { $0 is AssembleTokensOperation }
            tensors["pos_embed"] = Self.addToPatches(
                shift, position: position, patches: assembly.map { program.shape(of: $0.wiring.inputs[0])[1] } ?? 0)
            return
        }
        tensors[biasName] = Tensor(
            shift.indices.map { Float(Double(scale[$0]) * Double(bias?[$0] ?? 0) + Double(shift[$0])) },
            shape: [site.width])
    }

    public func unmerge(
        _ tensors: [String: Tensor], adapter: [String: Tensor], program: Program, model: any Model
    ) throws -> (tensors: [String: Tensor], notes: [String]) {
        var result = tensors
        var vanishing: [String] = []
        for site in Self.sites(in: program, of: model) {
            guard let scale = adapter["\(site.name).scale"]?.values, let shift = adapter["\(site.name).shift"]?.values
            else { throw UserError("the adapter has no scale and shift for \(site.name)") }
            guard scale.count == site.width, shift.count == site.width else {
                throw UserError(
                    "the adapter does not fit \(site.name)", expected: "\(site.width) channels", found: "\(scale.count)"
                )
            }
            if scale.contains(where: { abs($0) < 1e-6 }) { vanishing.append(site.name) }
            guard let weight = result["\(site.name).weight"] else {
                throw UserError("the merged model has no tensor \(site.name).weight")
            }
            let inverse = scale.map { 1 / Double($0) }
            result["\(site.name).weight"] = Self.scaleRows(weight, by: inverse)
            if let bias = result["\(site.name).bias"]?.values {
                result["\(site.name).bias"] = Tensor(
                    bias.indices.map { Float((Double(bias[$0]) - Double(shift[$0])) * inverse[$0]) },
                    shape: [site.width])
            } else if site.name == "patch_embed.proj", let position = result["pos_embed"] {
                let assembly = program.operations.first { $0 is AssembleTokensOperation }
                result["pos_embed"] = Self.addToPatches(
                    shift.map { -$0 }, position: position,
                    patches: assembly.map { program.shape(of: $0.wiring.inputs[0])[1] } ?? 0)
            }
        }
        guard vanishing.isEmpty else {
            throw UserError(
                "a scale below 1e-6 cannot be divided out again", found: "sites \(vanishing.joined(separator: ", "))",
                remedy: "give the base with --base")
        }
        return (result, [])
    }

    /// `diag(factors) W` over the first axis, in double precision.
    private static func scaleRows(_ weight: Tensor, by factors: [Double]) -> Tensor {
        var values = weight.values
        let width = values.count / max(factors.count, 1)
        for (row, factor) in factors.enumerated() {
            for i in (row * width)..<((row + 1) * width) { values[i] = Float(Double(values[i]) * factor) }
        }
        return Tensor(values, shape: weight.shape)
    }

    /// Adds a vector to the last `patches` tokens of a position embedding [1, tokens, C].
    private static func addToPatches(_ vector: [Float], position: Tensor, patches: Int) -> Tensor {
        var values = position.values
        let channels = vector.count
        for token in (position.shape[1] - patches)..<position.shape[1] {
            for c in 0..<channels { values[token * channels + c] += vector[c] }
        }
        return Tensor(values, shape: position.shape)
    }
}
