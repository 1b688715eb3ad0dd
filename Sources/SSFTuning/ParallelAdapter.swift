import SSFGraph
import SSFModels
import SSFTensors

/// AdaptFormer: beside the MLP of every block, `x <- x + MLP(norm2(x)) + s up(relu(down(x)))`, on the residual stream
/// behind attention and before `norm2`.
///
/// - Trains: 2 d h + h + d numbers for a block of width d and a bottleneck h, 2 d h without biases, and the classifier.
/// - Begins: `down` uniform as `torch.nn.Linear` begins, `up` and the biases zero: the model begins as the pre-trained
///   one.
/// - Does not merge: ReLU stands between its matrices.
/// - Source: arXiv 2205.13535 and its code, where the branch passes by drop-path and s is 0.1. Two things of that code
///   are left out: the dropout behind ReLU, and the batch norm before the head.
public struct ParallelAdapter: TuningMethod {
    public static let name = "adaptformer"
    public static let summary = "a bottleneck beside every MLP (AdaptFormer)"
    public static let options = [
        TuningOption("bottleneck", .count(1...65_536), standard: .integer(64), help: "width of the bottleneck"),
        TuningOption(
            "adapter-scale", .number(1e-6...1e6), standard: .number(0.1), help: "factor of the branch, s"),
        TuningOption("adapter-bias", .flag, standard: .bool(true), help: "whether its two matrices have biases"),
    ]

    private let bottleneck: Int
    private let scale: Double
    private let hasBias: Bool

    public init(options: TuningOptions) {
        bottleneck = options.count("bottleneck")
        scale = options.number("adapter-scale")
        hasBias = options.flag("adapter-bias")
    }

    public var mergeObstacle: String? { "ReLU stands between its two matrices, which no one weight can stand for" }

    /// The blocks with an MLP, each with the norm that reads the residual stream before it.
    private func sites(in program: Program) throws -> [(block: Block, stream: ValueID)] {
        let sites = program.blocks.compactMap { block in
            program.operationIndex(atSite: "\(block.name).norm2").map {
                (block: block, stream: program.operations[$0].wiring.inputs[0])
            }
        }
        guard !sites.isEmpty else {
            throw UserError(
                "\(Self.name) does not fit this model", expected: "blocks with norm2 and an MLP", found: "none",
                remedy: "choose another method")
        }
        return sites
    }

    public func attach(to program: inout Program, of model: any Model) throws {
        for (block, stream) in try sites(in: program) {
            let name = "\(block.name).adaptmlp"
            program.splice(after: program.producerIndex(of: block.output)!) { program, value in
                let width = program.shape(of: stream)[-1]
                var branch = program.linear(
                    stream, site: "\(name).down", outputChannels: bottleneck, bias: hasBias,
                    initializer: .kaimingUniform(inputs: width))
                branch = program.relu(branch, site: "\(name).act")
                branch = program.linear(
                    branch, site: "\(name).up", outputChannels: width, bias: hasBias, initializer: .constant(0))
                return program.add(value, program.scaled(branch, by: scale, site: name), site: "\(name).add")
            }
            program.train(sites: ["\(name).down", "\(name).up"])
        }
        program.trainClassifier(of: model)
    }

    public func trainableCount(in program: Program, of model: any Model) -> Int {
        ((try? sites(in: program)) ?? []).reduce(program.classifierCount(of: model)) { count, site in
            let d = program.shape(of: site.stream)[-1]
            return count + 2 * d * bottleneck + (hasBias ? bottleneck + d : 0)
        }
    }
}
