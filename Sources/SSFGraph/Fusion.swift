import SSFKernels
import SSFTensors

extension Program {
    /// The program with norms, GELUs, scales, shifts, drop-path masks and residual sums folded into the linear operation
    /// before or behind them.
    ///
    /// Peephole rules, each where the value between has one consumer and nobody wants to see it:
    ///
    /// - linear or norm, then scale-and-shift: joins the chain of the first;
    /// - norm or GELU, then linear: is computed while the linear packs its operand;
    /// - linear, then drop-path: the mask scales the rows;
    /// - linear, then a sum with a value that existed before: the residual is added in the epilogue;
    /// - last, linear, then GELU or attention: these apply the chain while they read, and the product is stored alone.
    ///
    /// - Parameters:
    ///   - taps: names of marked values that must exist.
    ///   - precision: of products with frozen weights and of attention between them, and of what is stored between two
    ///     linears or a linear and attention.
    public func fused(keeping taps: Set<String> = [], precision: Precision = .float32) -> Program {
        var program = self
        let named = Set(taps.compactMap { marks[$0] })
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
        program.deferChains(named: named, precision: precision)
        if precision != .float32 { program.lowerPrecision(to: precision, named: named) }
        return program
    }

    private func soleConsumer(ofOutputAt index: Int, named: Set<ValueID>) -> Int? {
        let output = operations[index].wiring.output
        guard !named.contains(output), useCount(of: output) == 1 else { return nil }
        return operations[(index + 1)...].firstIndex { $0.wiring.inputs.contains(output) }
    }

    private func fuse(_ operation: any Operation, with follower: any Operation, at index: Int) -> (any Operation)? {
        switch (operation, follower) {
        case (let norm as LayerNormOperation, var linear as LinearOperation)
        where linear.prologue.isNone && linear.wiring.inputs[0] == norm.wiring.output
            && linear.wiring.inputs.dropFirst().allSatisfy({ isAvailable($0, before: index) }):
            linear.wiring.inputs[0] = norm.wiring.inputs[0]
            linear.prologue = .norm(
                .init(epsilon: norm.epsilon, chain: norm.chain.shifted(by: linear.wiring.parameters.count)))
            linear.wiring.parameters += norm.wiring.parameters
            return linear
        case (let gelu as GELUOperation, var linear as LinearOperation)
        where linear.prologue.isNone && linear.wiring.inputs[0] == gelu.wiring.output
            && linear.wiring.inputs.dropFirst().allSatisfy({ isAvailable($0, before: index) }):
            linear.wiring.inputs[0] = gelu.wiring.inputs[0]
            linear.prologue = .gelu(isDeferred: false)
            return linear
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

    /// Leaves chains to the readers that can apply them.
    private mutating func deferChains(named: Set<ValueID>, precision: Precision) {
        for index in operations.indices {
            guard var linear = operations[index] as? LinearOperation, !linear.chain.isEmpty, linear.mask == nil,
                linear.residual == nil, let reader = soleConsumer(ofOutputAt: index, named: named),
                let deferred = operations[reader].readingDeferred(linear.wiring.output)
            else { continue }
            linear.defersChain = true
            operations[index] = linear
            operations[reader] = deferred
            values[linear.wiring.output.index].deferredChannels = linear.outputChannels
            // What trained weights make stays single precision.
            if hasFrozenWeight(linear) { values[linear.wiring.output.index].precision = precision }
        }
    }

    /// Products with frozen weights, and those of attention over what such a product stores. The result of attention is
    /// stored in the same precision where a linear alone reads it, which would round it anyway.
    private mutating func lowerPrecision(to precision: Precision, named: Set<ValueID>) {
        for index in operations.indices {
            if var linear = operations[index] as? LinearOperation, hasFrozenWeight(linear) {
                linear.precision = precision
                operations[index] = linear
            } else if var attention = operations[index] as? AttentionOperation,
                values[attention.qkv.index].precision == precision
            {
                attention.precision = precision
                operations[index] = attention
                let output = attention.wiring.output
                if let reader = soleConsumer(ofOutputAt: index, named: named),
                    let linear = operations[reader] as? LinearOperation, hasFrozenWeight(linear),
                    linear.prologue.isNone, linear.wiring.inputs[0] == output
                {
                    values[output.index].precision = precision
                }
            }
        }
    }

    private func hasFrozenWeight(_ linear: LinearOperation) -> Bool {
        !parameters[linear.wiring.parameters[0].index].isTrainable
    }

    private func isAvailable(_ value: ValueID, before index: Int) -> Bool {
        values[value.index].role != .activation || operations[..<index].contains { $0.wiring.output == value }
    }
}

extension Operation {
    /// The operation as it is when `value` is stored before its scale and shift; nil where it cannot apply those.
    fileprivate func readingDeferred(_ value: ValueID) -> (any Operation)? {
        if var linear = self as? LinearOperation, case .gelu = linear.prologue, linear.wiring.inputs[0] == value {
            linear.prologue = .gelu(isDeferred: true)
            return linear
        }
        if var attention = self as? AttentionOperation, attention.qkv == value {
            attention.isDeferred = true
            return attention
        }
        return nil
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
