import SSFKernels
import SSFTensors

/// Where each trainable parameter lies in the flat vector.
public struct TrainableLayout: Sendable {
    public struct Entry: Sendable {
        public let name: String
        public let shape: Shape
        public let range: Range<Int>
        /// Whether weight decay applies to it by default.
        public let decays: Bool
    }

    public let entries: [Entry]
    public var count: Int { entries.last?.range.upperBound ?? 0 }

    init(_ parameters: [ParameterSpecification]) {
        var entries: [Entry] = []
        var offset = 0
        for parameter in parameters where parameter.isTrainable {
            let end = offset + parameter.shape.count
            entries.append(
                Entry(name: parameter.name, shape: parameter.shape, range: offset..<end, decays: parameter.decays))
            offset = end
        }
        self.entries = entries
    }
}

/// The numbers behind a program's parameters: frozen tensors as they come, trainable ones in one flat vector.
///
/// Executors of different batch sizes share a store, and with it the packed weights.
public final class ParameterStore {
    public let specifications: [ParameterSpecification]
    public let layout: TrainableLayout
    /// All trainable parameters, f32, in the order of `layout`.
    public let trainable: Tensor
    /// Their gradients, to which backward passes add; takes memory once it is asked for.
    public private(set) lazy var gradient = Tensor(zeros: [layout.count])

    /// What is held in common with the stores of other models.
    public let shared: SharedWeights?
    /// Scratch of the kernels, for whichever executor runs.
    let workspace: Workspace

    /// Trainable: slices of the flat vector. Frozen: as they were given, in whatever type.
    private let tensors: [Tensor]
    /// Frozen parameters that operations read as they are, in single precision.
    private var converted: [Int: Tensor] = [:]
    private let entryOfParameter: [Int?]
    /// Whether a parameter is as the checkpoint has it, and not made here.
    private let isGiven: [Bool]
    private var packed: [String: PackedMatrix] = [:]

    /// Gathers the parameters of `program`.
    ///
    /// - Parameters:
    ///   - tensors: the checkpoint, by name; floating-point of any type. A parameter that it does not hold begins as
    ///     its specification says, from a stream of random numbers of its own.
    ///   - seed: of those streams.
    ///   - shared: where the frozen weights of the checkpoint are packed, and found when they have been; nil packs them for
    ///     this store alone.
    /// - Throws: `UserError` when a tensor has another shape than the program declares, or a frozen parameter that a
    ///   checkpoint must bring is missing.
    public init(
        program: Program, tensors given: [String: Tensor], seed: UInt64, shared: SharedWeights? = nil
    ) throws {
        specifications = program.parameters
        layout = TrainableLayout(program.parameters)
        trainable = Tensor(zeros: [layout.count])
        self.shared = shared
        workspace = shared?.workspace ?? Workspace()
        isGiven = program.parameters.map { given[$0.name] != nil }

        var tensors: [Tensor] = []
        var entryOfParameter: [Int?] = []
        var entry = 0
        for specification in program.parameters {
            let tensor = given[specification.name]
            if let tensor, tensor.shape.count != specification.shape.count {
                throw UserError(
                    "the tensor \(specification.name) has the wrong shape", expected: "\(specification.shape)",
                    found: "\(tensor.shape)")
            }
            if specification.isTrainable {
                let range = layout.entries[entry].range
                let slice = Tensor(
                    storage: trainable.storage, byteOffset: range.lowerBound * 4, shape: specification.shape,
                    dtype: .f32)
                if let tensor {
                    _ = slice.floats.update(fromContentsOf: tensor.values)
                    Self.release(tensor)
                } else {
                    Self.fill(slice, specification, seed: seed)
                }
                tensors.append(slice)
                entryOfParameter.append(entry)
                entry += 1
            } else {
                if let tensor {
                    tensors.append(tensor)
                } else {
                    let made = Tensor(zeros: specification.shape)
                    Self.fill(made, specification, seed: seed)
                    tensors.append(made)
                }
                entryOfParameter.append(nil)
            }
        }
        self.tensors = tensors
        self.entryOfParameter = entryOfParameter
    }

    /// What is mapped from a file and hardly read again need not stay in memory.
    private static func release(_ tensor: Tensor) {
        tensor.storage.releasePages(tensor.byteOffset..<tensor.byteOffset + tensor.byteCount)
    }

    private static func fill(_ tensor: Tensor, _ specification: ParameterSpecification, seed: UInt64) {
        var random = RandomGenerator(seed: seed, stream: specification.name)
        let floats = tensor.floats
        switch specification.initializer {
        case .constant(let value):
            floats.update(repeating: Float(value))
        case .normal(let mean, let deviation):
            for i in floats.indices { floats[i] = Float(mean + deviation * random.normal()) }
        case .truncatedNormal(let mean, let deviation):
            for i in floats.indices { floats[i] = Float(random.truncatedNormal(mean: mean, deviation: deviation)) }
        case .uniform(let mean, let bound):
            for i in floats.indices { floats[i] = Float(mean + random.uniform(-bound..<bound)) }
        }
    }

    /// The current values of a parameter, f32; for a trainable one, a view of the flat vector.
    public func tensor(_ parameter: ParameterID) -> Tensor {
        converted[parameter.index] ?? tensors[parameter.index].converted(to: .f32)
    }

    /// The current values of a parameter, by name.
    public func tensor(named name: String) -> Tensor? {
        specifications.firstIndex { $0.name == name }.map { tensor(ParameterID(index: $0)) }
    }

    /// A parameter for operations to read for as long as the store lives.
    func floats(_ parameter: ParameterID) -> UnsafeMutablePointer<Float> {
        let given = tensors[parameter.index]
        if given.dtype != .f32, converted[parameter.index] == nil {
            converted[parameter.index] =
                isGiven[parameter.index] ? shared?.converted(given) : nil
        }
        let tensor = tensor(parameter)
        if tensor.storage !== given.storage { converted[parameter.index] = tensor }
        return tensor.floats.baseAddress!
    }

    /// The place of a parameter in `layout`; nil for a frozen one.
    func entry(of parameter: ParameterID) -> Int? { entryOfParameter[parameter.index] }

    func gradientPointer(_ parameter: ParameterID) -> UnsafeMutablePointer<Float>? {
        entry(of: parameter).map { gradient.floats.baseAddress! + layout.entries[$0].range.lowerBound }
    }

    /// Sets every gradient to zero, before the first backward pass of an optimiser step.
    public func zeroGradient() {
        gradient.floats.update(repeating: 0)
    }

    // MARK: Weights of products

    /// The B operand [k, n] of a product: element (p, j) at `p * rowStride + j * columnStride` of a parameter.
    ///
    /// A frozen one is laid out once, for all who ask for the same. A trained one, which changes with every step, is laid
    /// out by the product, in scratch that stays in the cache.
    func operandB(
        _ parameter: ParameterID, k: Int, n: Int, rowStride: Int, columnStride: Int, precision: Precision
    ) -> GEMMOperandB {
        guard entry(of: parameter) == nil else {
            return .plain(
                MatrixPointer(floats(parameter)), rowStride: rowStride, columnStride: columnStride, precision: precision
            )
        }
        let layout = "\(k)x\(n)/\(rowStride),\(columnStride)/\(precision)"
        let key = "\(parameter.index)/\(layout)"
        if let found = packed[key] { return .packed(found) }
        func pack() -> PackedMatrix {
            let tensor = tensor(parameter)
            let matrix = withExtendedLifetime(tensor) {
                GEMM.pack(
                    k: k, n: n, b: UnsafePointer(tensor.floats.baseAddress!), rowStride: rowStride,
                    columnStride: columnStride, precision: precision)
            }
            Self.release(tensors[parameter.index])
            return matrix
        }
        let matrix =
            if isGiven[parameter.index], let shared {
                shared.packed(tensors[parameter.index], layout: layout, make: pack)
            } else { pack() }
        packed[key] = matrix
        return .packed(matrix)
    }
}
