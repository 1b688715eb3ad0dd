import SSFGraph
import SSFModels
import SSFTensors

/// SSF: behind every operation with linear coefficients, `y = scale * x + shift`, both trained; the backbone is frozen.
///
/// - Sites: every linear and every norm but the classifier and the norm behind pooling; for the plain ViT those of the
///   reference: `patch_embed.proj`, `norm1`, `attn.qkv`, `attn.proj`, `norm2`, `mlp.fc1`, `mlp.fc2` of each block, and
///   `norm`. The options choose among them, as the paper's Table 6 does.
/// - Trains: 2 (d + L (1 + 3 + 1 + 1 + 4 + 1) d + d) numbers for a ViT of width d and depth L with hidden width 4 d, and
///   the classifier. `layers` n takes the first n blocks for L, and 0 leaves the classifier alone; a scalar scale counts
///   one number a site.
/// - Merges: `W' = diag(scale) W`, `b' = scale * b + shift`; norms alike.
/// - Source: arXiv 2210.08823, equations 2 to 5 and Table 6; initial values of its code.
public struct ScalingAndShifting: TuningMethod {
    public static let name = "ssf"
    public static let summary = "scale and shift the features of a frozen backbone; merges to zero overhead"

    /// How scale and shift begin, s around 1 and t around 0 with a deviation of 0.02 except where it says otherwise.
    enum Start: String, CaseIterable {
        /// Normal, the published choice.
        case normal
        case truncatedNormal = "trunc_normal"
        /// With the same deviation as `normal`; the paper does not say which bounds it took.
        case uniform
        /// Exactly 1 and 0: the model begins as the pre-trained one.
        case constant
        /// Normal around 0, the scale too, which nearly erases the features.
        case random
    }

    /// Places that can be left out.
    enum Place: String, CaseIterable {
        case mlp, attn, embed
        /// The norms of the blocks; the last norm stays, as in the published count.
        case norm
    }

    public static let options = [
        TuningOption(
            "layers", .count(0...10_000), help: "blocks to modulate, from the first; all where it is left out"),
        TuningOption(
            "without", .choices(Place.allCases.map(\.rawValue) + ["scale", "shift"]), help: "what is left out"),
        TuningOption("only", .choice(["norm"]), help: "norm: only the norms of the blocks are modulated"),
        TuningOption(
            "scalar-scale", .flag, standard: .bool(false), help: "one scale for all channels of a site"),
        TuningOption(
            "init", .choice(Start.allCases.map(\.rawValue)), standard: .string(Start.normal.rawValue),
            help: "how scale and shift begin"),
    ]

    /// Standard deviation of the initial values.
    private static let deviation = 0.02

    private let layers: Int?
    private let excluded: Set<Place>
    private let onlyNorms: Bool
    private let hasScale: Bool
    private let hasShift: Bool
    private let isScalar: Bool
    private let start: Start

    public init(options: TuningOptions) throws {
        layers = options.optionalCount("layers")
        let without = options.words("without")
        excluded = Set(without.compactMap(Place.init))
        onlyNorms = options.optionalChoice("only") == "norm"
        hasScale = !without.contains("scale")
        hasShift = !without.contains("shift")
        isScalar = options.flag("scalar-scale")
        start = Start(rawValue: options.choice("init"))!
        guard hasScale || hasShift else {
            throw UserError("`without` leaves nothing of ssf", expected: "scale or shift to stay", found: "neither")
        }
        guard hasScale || !isScalar else {
            throw UserError("`scalar-scale` and `without: scale` exclude each other", remedy: "leave one out")
        }
    }

    public var warnings: [String] {
        start == .random ? ["init random: scales around 0 erase the features that the backbone has learned"] : []
    }

    /// A site: its name, its width, and the base's parameters that it folds into.
    struct Site {
        let name: String
        let width: Int
        let isNorm: Bool
    }

    /// The sites of a recorded program that are modulated, in order.
    func sites(in program: Program, of model: any Model) -> [Site] {
        guard layers != 0 else { return [] }
        let left = Set(model.classifierSites + model.poolingSites)
        let blocks = Set(program.blocks.prefix(layers ?? .max).map(\.name))
        return program.operations.compactMap { operation in
            guard operation is LinearOperation || operation is LayerNormOperation, !left.contains(operation.site) else {
                return nil
            }
            let site = Site(
                name: operation.site, width: program.shape(of: operation.wiring.output)[-1],
                isNorm: operation is LayerNormOperation)
            let block = Program.blockName(of: site.name)
            if let block, !blocks.contains(block) { return nil }
            let isBlockNorm = site.isNorm && block != nil
            if onlyNorms { return isBlockNorm ? site : nil }
            let parts = site.name.split(separator: ".")
            if excluded.contains(.mlp) && parts.contains("mlp") { return nil }
            if excluded.contains(.attn) && parts.contains("attn") { return nil }
            if excluded.contains(.embed) && parts.first == "patch_embed" { return nil }
            if excluded.contains(.norm) && isBlockNorm { return nil }
            return site
        }
    }

    /// The initial values around a mean.
    private func initializer(mean: Double) -> Initializer {
        switch start {
        case .normal: .normal(mean: mean, deviation: Self.deviation)
        case .truncatedNormal: .truncatedNormal(mean: mean, deviation: Self.deviation)
        case .uniform: .uniform(mean: mean, bound: Self.deviation * 3.0.squareRoot())
        case .constant: .constant(mean)
        case .random: .normal(mean: 0, deviation: Self.deviation)
        }
    }

    public func attach(to program: inout Program, of model: any Model) throws {
        let depth = program.blocks.count
        if let layers, layers > depth {
            throw UserError(
                "`layers` of ssf cannot be used", expected: "0 to \(depth), the model's blocks", found: "\(layers)")
        }
        for site in sites(in: program, of: model) {
            program.splice(after: program.operationIndex(atSite: site.name)!) { program, value in
                let scale =
                    hasScale
                    ? program.parameter(
                        "\(site.name).scale", shape: [isScalar ? 1 : site.width], initializer: initializer(mean: 1))
                    : nil
                let shift =
                    hasShift
                    ? program.parameter(
                        "\(site.name).shift", shape: [site.width], initializer: initializer(mean: 0))
                    : nil
                for parameter in [scale, shift] { if let parameter { program.train(parameter, decays: false) } }
                guard isScalar, let scale else {
                    return program.append(
                        ScaleAndShiftOperation(site: "\(site.name).ssf", input: value, scale: scale, shift: shift))
                }
                let scaled = program.scalarScale(value, site: "\(site.name).ssf", scale: scale)
                guard let shift else { return scaled }
                return program.append(
                    ScaleAndShiftOperation(site: "\(site.name).ssf", input: scaled, scale: nil, shift: shift))
            }
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        sites(in: program, of: model).reduce(program.classifierCount(of: model)) { count, site in
            count + (hasScale ? (isScalar ? 1 : site.width) : 0) + (hasShift ? site.width : 0)
        }
    }

    // MARK: Merging

    public func merge(_ tensors: [String: Tensor], program: Program, model: any Model) throws -> [String: Tensor] {
        var result = tensors
        for site in sites(in: program, of: model) {
            let (scale, shift) = try coefficients(of: site, in: tensors)
            result["\(site.name).scale"] = nil
            result["\(site.name).shift"] = nil
            try fold(site, into: &result, scale: scale, shift: shift, program: program)
        }
        return result
    }

    /// Scale and shift of a site for every channel: 1 and 0 where they are left out.
    func coefficients(of site: Site, in adapter: [String: Tensor]) throws -> (scale: [Float], shift: [Float]) {
        func values(_ kind: String, isThere: Bool, count: Int, neutral: Float) throws -> [Float] {
            guard isThere else { return [Float](repeating: neutral, count: site.width) }
            guard let tensor = adapter["\(site.name).\(kind)"] else {
                throw UserError("the adapter has no \(kind) for \(site.name)")
            }
            guard tensor.count == count else {
                throw UserError(
                    "the adapter does not fit \(site.name)", expected: "\(count) channels", found: "\(tensor.count)")
            }
            return count == site.width ? tensor.values : [Float](repeating: tensor.values[0], count: site.width)
        }
        return (
            try values("scale", isThere: hasScale, count: isScalar ? 1 : site.width, neutral: 1),
            try values("shift", isThere: hasShift, count: site.width, neutral: 0)
        )
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
        if bias == nil, !hasShift { return }
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
        for site in sites(in: program, of: model) {
            let (scale, shift) = try coefficients(of: site, in: adapter)
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
            } else if hasShift, site.name == "patch_embed.proj", let position = result["pos_embed"] {
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
