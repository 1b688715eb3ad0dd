import SSFTensors

extension Program {
    /// The program with scales, shifts, drop-path masks and residual sums folded into the operation before them.
    ///
    /// Peephole rules, each where the value between has one consumer and no name:
    ///
    /// - linear or norm, then scale-and-shift: joins the chain of the first;
    /// - linear, then drop-path: the mask scales the rows;
    /// - linear, then a sum with a value that existed before: the residual is added in the epilogue.
    public func fused() -> Program {
        var program = self
        let named = Set(marks.values)
        var index = 0
        while index < program.operations.count {
            while let follower = program.soleConsumer(ofOutputAt: index, named: named),
                let fused = program.fuse(program.operations[index], with: program.operations[follower], at: index)
            {
                var operation = fused
                operation.wiring.output = program.operations[follower].wiring.output
                program.operations[index] = operation
                program.operations.remove(at: follower)
            }
            index += 1
        }
        return program
    }

    private func soleConsumer(ofOutputAt index: Int, named: Set<ValueID>) -> Int? {
        let output = operations[index].wiring.output
        guard !named.contains(output), useCount(of: output) == 1 else { return nil }
        return operations[(index + 1)...].firstIndex { $0.wiring.inputs.contains(output) }
    }

    private func fuse(_ operation: any Operation, with follower: any Operation, at index: Int) -> (any Operation)? {
        switch (operation, follower) {
        case (var linear as LinearOperation, let affine as ScaleAndShiftOperation)
        where linear.mask == nil && linear.residual == nil:
            linear.append(affine)
            return linear
        case (var norm as LayerNormOperation, let affine as ScaleAndShiftOperation):
            norm.append(affine)
            return norm
        case (var linear as LinearOperation, let dropPath as DropPathOperation)
        where linear.mask == nil && linear.residual == nil:
            linear.mask = linear.wiring.inputs.count
            linear.wiring.inputs.append(dropPath.wiring.inputs[1])
            return linear
        case (var linear as LinearOperation, let sum as AddOperation)
        where linear.residual == nil && sum.wiring.inputs[1] == linear.wiring.output
            && isAvailable(sum.wiring.inputs[0], before: index):
            linear.residual = linear.wiring.inputs.count
            linear.wiring.inputs.append(sum.wiring.inputs[0])
            return linear
        default:
            return nil
        }
    }

    private func isAvailable(_ value: ValueID, before index: Int) -> Bool {
        values[value.index].role != .activation || operations[..<index].contains { $0.wiring.output == value }
    }
}

extension LinearOperation {
    fileprivate mutating func append(_ affine: ScaleAndShiftOperation) {
        let first = wiring.parameters.count
        wiring.parameters += affine.wiring.parameters
        chain.append(scale: affine.scaleIndex.map { first + $0 }, shift: affine.shiftIndex.map { first + $0 })
    }
}

extension LayerNormOperation {
    fileprivate mutating func append(_ affine: ScaleAndShiftOperation) {
        let first = wiring.parameters.count
        wiring.parameters += affine.wiring.parameters
        chain.append(scale: affine.scaleIndex.map { first + $0 }, shift: affine.shiftIndex.map { first + $0 })
    }
}
