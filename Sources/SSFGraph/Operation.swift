import SSFKernels
import SSFTensors

/// Where an operation stands in a program: what it reads, what it writes, which parameters it owns.
public struct Wiring: Sendable {
    /// The module path as timm names it (`blocks.0.attn.qkv`); empty where the operation has none.
    public let site: String
    public internal(set) var inputs: [ValueID]
    public internal(set) var parameters: [ParameterID]
    /// Set by the program that takes the operation in.
    public internal(set) var output = ValueID(index: -1)

    public init(site: String, inputs: [ValueID], parameters: [ParameterID] = []) {
        self.site = site
        self.inputs = inputs
        self.parameters = parameters
    }

    mutating func replaceInput(_ old: ValueID, with new: ValueID) {
        for i in inputs.indices where inputs[i] == old { inputs[i] = new }
    }
}

/// Which gradients an operation has to form.
public struct GradientNeed: Sendable {
    /// Per input, in the order of the wiring.
    public let inputs: [Bool]
    /// Per parameter, in the order of the wiring.
    public let parameters: [Bool]

    /// Whether the operation takes part in the backward pass at all.
    public var any: Bool { inputs.contains(true) || parameters.contains(true) }

    /// The same operation where nothing is to be formed.
    var none: GradientNeed {
        GradientNeed(inputs: inputs.map { _ in false }, parameters: parameters.map { _ in false })
    }
}

/// What an operation wants to find again.
public struct Retention: Sendable {
    /// Inputs that backward reads.
    public var inputs: [Bool]
    /// Whether backward reads the output.
    public var output = false
    /// Floats of each private buffer, which lives from forward to backward where there is a backward.
    public var buffers: [Int] = []
    /// Floats of each buffer that lives during backward only.
    public var backwardScratch: [Int] = []

    public init(inputs: [Bool], output: Bool = false, buffers: [Int] = [], backwardScratch: [Int] = []) {
        self.inputs = inputs
        self.output = output
        self.buffers = buffers
        self.backwardScratch = backwardScratch
    }
}

/// One step of a program: a shape rule, a forward and a backward pass, what it keeps between them, and what it costs.
///
/// An operation is a plain value; the pointers of a step are in the `OperationContext` that an executor binds once.
public protocol Operation: Sendable {
    var wiring: Wiring { get set }

    /// The shape of the output for shapes of the inputs.
    ///
    /// - Precondition: the shapes are ones the operation accepts; a model that records others has a defect.
    func outputShape(_ inputs: [Shape]) -> Shape

    /// Floating-point operations of forward; a multiply-add counts as two.
    func forwardFLOPs(shapes: [Shape], output: Shape) -> Int

    /// Floating-point operations of backward when these gradients are to be formed, counted alike; what is computed
    /// again for want of memory is not counted.
    func backwardFLOPs(shapes: [Shape], output: Shape, need: GradientNeed) -> Int

    /// What must stay from forward to backward when these gradients are to be formed, and the buffers that forward
    /// needs in any case.
    func retention(shapes: [Shape], output: Shape, need: GradientNeed) -> Retention

    /// Inputs whose gradient is the gradient of the output, so that both may be one buffer.
    func passesGradient(toInput index: Int) -> Bool

    /// Whether backward can add to the gradient of an input that another operation has begun; where it cannot, the
    /// executor adds for it.
    func accumulatesGradient(ofInput index: Int) -> Bool

    /// Whether backward can write the gradient of a parameter that no operation has begun; else the executor sets it to
    /// zero before.
    func writesGradient(ofParameter index: Int) -> Bool

    /// Whether the operation reads a parameter as it is; where it does not, because it has it packed, an executor need
    /// not hold it in single precision.
    func readsParameter(_ index: Int) -> Bool

    /// Called once when an executor is made: the place to have weights packed.
    func bind(_ context: OperationContext)

    /// Computes the output.
    func forward(_ context: OperationContext)

    /// Makes what backward reads besides the inputs and the output, which are there; the output must stay as it is.
    func restore(_ context: OperationContext)

    /// Whether `restore` takes the whole of forward.
    func repeatsForwardToRestore(need: GradientNeed) -> Bool

    /// Forms the gradients that are asked for: those of inputs are written, or added to where the context says so;
    /// those of parameters are added to, or written where the context says so.
    func backward(_ context: OperationContext)
}

extension Operation {
    public var site: String { wiring.site }
    public func passesGradient(toInput index: Int) -> Bool { false }
    public func accumulatesGradient(ofInput index: Int) -> Bool { false }
    public func writesGradient(ofParameter index: Int) -> Bool { false }
    public func readsParameter(_ index: Int) -> Bool { true }
    public func bind(_ context: OperationContext) {}
    public func restore(_ context: OperationContext) { forward(context) }
    public func repeatsForwardToRestore(need: GradientNeed) -> Bool { true }
}

/// The memory of one operation in one executor: every pointer it may touch, resolved once.
public final class OperationContext {
    public typealias Floats = UnsafeMutablePointer<Float>

    public let inputShapes: [Shape]
    public let outputShape: Shape
    public let need: GradientNeed
    package let inputs: [Floats]
    package let output: Floats
    /// The same, for operations that take values in the precision in which they are stored. Others see only such as are
    /// stored in single precision.
    package let storedInputs: [StoredValue]
    package let storedOutput: StoredValue
    /// Nil where no gradient is formed.
    package let inputGradients: [Floats?]
    /// Whether the gradient of an input has been begun by another operation.
    package let accumulates: [Bool]
    package let outputGradient: Floats?
    /// Those that the operation reads; the places of others hold an address that must not be read.
    package let parameters: [Floats]
    /// Nil for frozen parameters.
    package let parameterGradients: [Floats?]
    /// Whether the gradient of a parameter holds something to add to; false only where the operation can write it.
    package let accumulatesParameters: [Bool]
    package let buffers: [Floats]
    /// Empty where there is no backward pass.
    package let backwardScratch: [Floats]
    package let workspace: Workspace
    package let store: ParameterStore
    package let parameterIDs: [ParameterID]
    /// What the loss of a sample counts for in the gradient; set before each backward pass.
    package var lossScale: Float = 1
    /// The weight of a matrix multiplication and its transpose, where the operation has put them.
    package var weight: GEMMOperandB?
    package var transposedWeight: GEMMOperandB?

    package init(
        need: GradientNeed, inputs: [(Value, Floats)], output: (Value, Floats),
        inputGradients: [Floats?], accumulates: [Bool], outputGradient: Floats?, parameters: [Floats],
        parameterGradients: [Floats?], accumulatesParameters: [Bool], buffers: [Floats], backwardScratch: [Floats],
        workspace: Workspace, store: ParameterStore, parameterIDs: [ParameterID]
    ) {
        inputShapes = inputs.map(\.0.shape)
        outputShape = output.0.shape
        self.need = need
        self.inputs = inputs.map(\.1)
        self.output = output.1
        storedInputs = inputs.map { StoredValue($0, at: $1) }
        storedOutput = StoredValue(output.0, at: output.1)
        self.inputGradients = inputGradients
        self.accumulates = accumulates
        self.outputGradient = outputGradient
        self.parameters = parameters
        self.parameterGradients = parameterGradients
        self.accumulatesParameters = accumulatesParameters
        self.buffers = buffers
        self.backwardScratch = backwardScratch
        self.workspace = workspace
        self.store = store
        self.parameterIDs = parameterIDs
    }
}
