import SSFTensors

/// Editing a recorded program, for tuning methods: whole pieces are recorded as a model records, and put between two
/// operations.
extension Program {
    /// The position of the operation that makes a value; nil for an input.
    public func producerIndex(of value: ValueID) -> Int? {
        operations.firstIndex { $0.wiring.output == value }
    }

    /// Puts a piece behind operation `index`: whoever used its output uses the result of the piece.
    ///
    /// The piece may change the shape, as more tokens do; the shapes of everything behind it follow.
    ///
    /// - Parameter record: records the piece, as a model does; takes the output of the operation and returns the value
    ///   that takes its place. It may read any value that exists at that point.
    public mutating func splice(after index: Int, _ record: (inout Program, ValueID) -> ValueID) {
        let replaced = operations[index].wiring.output
        let (added, result) = take { record(&$0, replaced) }
        operations.insert(contentsOf: added, at: index + 1)
        replaceUses(of: replaced, with: result, from: index + 1 + added.count)
        if shape(of: result) != shape(of: replaced) { inferShapes(from: index + 1 + added.count) }
    }

    /// Puts a piece before operation `index`: it alone reads the result of the piece instead of its first input; others
    /// that read the same value go on doing so.
    ///
    /// - Parameter record: as in `splice(after:_:)`.
    public mutating func splice(before index: Int, _ record: (inout Program, ValueID) -> ValueID) {
        let (added, result) = take { [input = operations[index].wiring.inputs[0]] in record(&$0, input) }
        operations.insert(contentsOf: added, at: index)
        let reader = index + added.count
        let isReshaped = shape(of: result) != shape(of: operations[reader].wiring.inputs[0])
        operations[reader].wiring.inputs[0] = result
        if isReshaped { inferShapes(from: reader) }
    }

    /// Lets something be recorded and takes it out again.
    private mutating func take(_ record: (inout Program) -> ValueID) -> (operations: [any Operation], result: ValueID) {
        let count = operations.count
        let result = record(&self)
        let added = Array(operations[count...])
        operations.removeSubrange(count...)
        return (added, result)
    }

    /// Applies the shape rules anew.
    private mutating func inferShapes(from start: Int) {
        for operation in operations[start...] {
            values[operation.wiring.output.index].shape = operation.outputShape(
                operation.wiring.inputs.map { values[$0.index].shape })
        }
    }
}
