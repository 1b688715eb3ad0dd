import SSFKernels
import SSFTensors

/// Names one value of a program: an input, or what an operation produces.
public struct ValueID: Sendable, Hashable {
    public let index: Int
}

/// Names one parameter of a program.
public struct ParameterID: Sendable, Hashable {
    public let index: Int
}

/// Something that flows through a program: a float array with a shape and, where people would look for it, a name.
public struct Value: Sendable {
    public enum Role: Sendable, Equatable {
        /// Images, normalised: [B, channels, height, width].
        case images
        /// Class indices as 32-bit integers: [B].
        case labels
        /// One factor per sample, drawn anew each step: 0 with probability `rate`, else 1 / (1 - rate): [B].
        case mask(rate: Double)
        /// What an operation computes.
        case activation
    }

    public var shape: Shape
    public var role: Role
    public var name: String
    /// Where fusion leaves the scale and the shift behind a linear to the readers of its product: their channels. The
    /// product is stored as it is, and behind it S and T, [channels] each: a reader takes `S * x + T` for the value.
    var deferredChannels = 0
    /// What its numbers are stored as; S and T are always single precision.
    var precision = Precision.float32

    /// Bytes in memory.
    var byteCount: Int {
        deferredChannels == 0 ? shape.count * precision.size : affineOffset + 8 * deferredChannels
    }

    /// Where S and T stand, in bytes behind the first number.
    var affineOffset: Int { (shape.count * precision.size + 63) / 64 * 64 }
}

/// How a parameter that no checkpoint holds begins.
public enum Initializer: Sendable, Equatable {
    case constant(Double)
    case normal(mean: Double, deviation: Double)
    /// Normal around `mean`, as timm's `trunc_normal_`: drawn anew while it is outside `-2...2`.
    case truncatedNormal(mean: Double = 0, deviation: Double)
    /// Uniform in `mean - bound..<mean + bound`.
    case uniform(mean: Double = 0, bound: Double)
}

/// A parameter as a program declares it: a name and a shape, no data.
public struct ParameterSpecification: Sendable {
    /// The name in the checkpoint (`blocks.0.attn.qkv.weight`) or, for what a tuning method adds, the site and the
    /// parameter (`blocks.0.attn.qkv.scale`).
    public let name: String
    public let shape: Shape
    public var initializer: Initializer
    public var isTrainable = false
    /// Whether weight decay applies to it by default.
    public var decays = false
}

/// A model as an array of operations over shapes and named sites, touching no data.
///
/// A model records it, a tuning method edits it, fusion shortens it, and an `Executor` runs it. Operations stand in an
/// order in which every value is produced before it is used.
public struct Program: Sendable {
    public internal(set) var operations: [any Operation] = []
    public internal(set) var values: [Value] = []
    public private(set) var parameters: [ParameterSpecification] = []
    private var parameterIndices: [String: Int] = [:]

    /// Samples per step.
    public let batch: Int
    /// Values worth a name (`blocks.0` is what block 0 returns), for those who look into a model.
    public private(set) var marks: [String: ValueID] = [:]
    /// Where the blocks of the model end, and before them where the first begins: what memory can be saved at.
    private(set) var blockEnds: [ValueID] = []
    /// [B, K], before softmax.
    public private(set) var logits: ValueID?
    /// [B], one loss per sample.
    public private(set) var losses: ValueID?

    public init(batch: Int) {
        precondition(batch > 0, "a program needs a batch of at least 1, not \(batch)")
        self.batch = batch
    }

    public func shape(of value: ValueID) -> Shape { values[value.index].shape }

    // MARK: Recording

    /// Declares a value that the caller fills before each step.
    public mutating func input(_ name: String, shape: Shape, role: Value.Role) -> ValueID {
        values.append(Value(shape: shape, role: role, name: name))
        return ValueID(index: values.count - 1)
    }

    /// Declares a parameter, or finds the one that has the name.
    ///
    /// - Precondition: one name has one shape.
    public mutating func parameter(
        _ name: String, shape: Shape, initializer: Initializer = .constant(0)
    ) -> ParameterID {
        if let index = parameterIndices[name] {
            precondition(
                parameters[index].shape == shape, "\(name) is declared as \(parameters[index].shape) and as \(shape)")
            return ParameterID(index: index)
        }
        parameterIndices[name] = parameters.count
        parameters.append(ParameterSpecification(name: name, shape: shape, initializer: initializer))
        return ParameterID(index: parameters.count - 1)
    }

    /// Appends an operation and returns what it produces; its shape follows from the operation's rule.
    public mutating func append(_ operation: any Operation) -> ValueID {
        var operation = operation
        let output = makeOutput(of: operation)
        operation.wiring.output = output
        operations.append(operation)
        return output
    }

    /// Gives a value a name under which it can be tapped.
    public mutating func mark(_ name: String, _ value: ValueID) {
        marks[name] = value
    }

    /// Says that a block of the model ends with a value, or that the first begins with it.
    public mutating func endBlock(_ value: ValueID) {
        blockEnds.append(value)
    }

    /// Says which values are the answer.
    public mutating func finish(logits: ValueID, losses: ValueID) {
        self.logits = logits
        self.losses = losses
    }

    // MARK: Editing

    public func parameterID(named name: String) -> ParameterID? {
        parameterIndices[name].map(ParameterID.init)
    }

    /// Lets a parameter be trained; `decays` says whether weight decay applies to it by default.
    public mutating func train(_ parameter: ParameterID, decays: Bool) {
        parameters[parameter.index].isTrainable = true
        parameters[parameter.index].decays = decays
    }

    /// The position of the operation with this site, if there is one.
    public func operationIndex(atSite site: String) -> Int? {
        operations.firstIndex { $0.site == site }
    }

    /// Puts an operation that takes the output of operation `index` behind it; whoever used that output uses the new
    /// one.
    ///
    /// The shape must stay the same.
    public mutating func insert(_ operation: any Operation, after index: Int) {
        let replaced = operations[index].wiring.output
        precondition(operation.wiring.inputs.contains(replaced), "the inserted operation must use what it replaces")
        var operation = operation
        let output = makeOutput(of: operation)
        precondition(shape(of: output) == shape(of: replaced), "the inserted operation must keep the shape")
        operation.wiring.output = output
        replaceUses(of: replaced, with: output, from: index + 1)
        operations.insert(operation, at: index + 1)
    }

    /// Makes every operation from `start` on, and every name and answer, use `new` instead of `old`.
    mutating func replaceUses(of old: ValueID, with new: ValueID, from start: Int) {
        for i in start..<operations.count {
            operations[i].wiring.replaceInput(old, with: new)
        }
        for (name, value) in marks where value == old { marks[name] = new }
        for i in blockEnds.indices where blockEnds[i] == old { blockEnds[i] = new }
        if logits == old { logits = new }
        if losses == old { losses = new }
    }

    private mutating func makeOutput(of operation: any Operation) -> ValueID {
        let shape = operation.outputShape(operation.wiring.inputs.map { values[$0.index].shape })
        values.append(Value(shape: shape, role: .activation, name: operation.site))
        return ValueID(index: values.count - 1)
    }

    // MARK: Reading

    /// How many operations use a value; being an answer or having a name counts as a use.
    public func useCount(of value: ValueID) -> Int {
        var count = operations.reduce(0) { $0 + $1.wiring.inputs.filter { $0 == value }.count }
        if logits == value || losses == value { count += 1 }
        return count
    }

    public var trainableCount: Int {
        parameters.reduce(0) { $0 + ($1.isTrainable ? $1.shape.count : 0) }
    }

    /// Floating-point operations of one forward pass over the batch (a multiply-add counts as two).
    public var forwardFLOPs: Int {
        operations.reduce(0) { total, operation in
            total
                + operation.forwardFLOPs(
                    shapes: operation.wiring.inputs.map(shape(of:)), output: shape(of: operation.wiring.output))
        }
    }
}
