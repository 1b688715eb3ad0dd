import SSFTensors

/// What backward costs, and what has to pass through memory whatever the code does.
extension Operation {
    /// As much as forward for the gradients of inputs, and as much again for those of parameters.
    public func backwardFLOPs(shapes: [Shape], output: Shape, need: GradientNeed) -> Int {
        let sides = (need.inputs.contains(true) ? 1 : 0) + (need.parameters.contains(true) ? 1 : 0)
        return sides * forwardFLOPs(shapes: shapes, output: output)
    }
}

extension LinearOperation {
    /// A product of the size of forward for the gradient of what W multiplies, and one for dW; the sums over rows of the
    /// chain behind; a norm or GELU before it as much as forward, and as much again for what trains in it.
    public func backwardFLOPs(shapes: [Shape], output: Shape, need: GradientNeed) -> Int {
        let sizes = LinearSizes(shapes: shapes, output: output)
        let product = 2 * sizes.m * sizes.n * sizes.k
        let before = prologue.forwardFLOPs(count: sizes.m * sizes.k)
        let trainsNorm = prologue.norm?.chain.needsGradient(need) ?? false
        return (needsProductGradient(need) ? product : 0) + (need.parameters[0] ? product : 0)
            + (need.inputs[0] ? before : 0) + (trainsNorm ? before : 0)
            + (chain.needsScaleGradient(need) ? 4 * output.count : chain.needsGradient(need) ? output.count : 0)
    }
}

extension AttentionOperation {
    /// Five products of tokens by tokens where forward has two: the scores again, dP, dV, dQ and dK.
    public func backwardFLOPs(shapes: [Shape], output: Shape, need: GradientNeed) -> Int {
        need.any ? forwardFLOPs(shapes: shapes, output: output) / 2 * 5 : 0
    }
}

extension Schedule {
    /// What a pass of each kind computes; an operation whose output is still there repeats its product only where it
    /// cannot do without.
    func flops(of program: Program, needs: [GradientNeed]) -> (forward: Int, backward: Int) {
        var (forward, backward) = (0, 0)
        for event in events {
            switch event {
            case .forward(let index):
                forward += forwardFLOPs(of: index, in: program)
            case .restore(let index):
                backward += forwardFLOPs(of: index, in: program)
            case .restoreKeepingOutput(let index):
                let operation = program.operations[index]
                if operation.repeatsForwardToRestore(need: needs[index]) {
                    backward += forwardFLOPs(of: index, in: program)
                }
            case .backward(let index):
                let operation = program.operations[index]
                backward += operation.backwardFLOPs(
                    shapes: operation.wiring.inputs.map(program.shape(of:)),
                    output: program.shape(of: operation.wiring.output), need: needs[index])
            }
        }
        return (forward, backward)
    }

    private func forwardFLOPs(of index: Int, in program: Program) -> Int {
        let operation = program.operations[index]
        return operation.forwardFLOPs(
            shapes: operation.wiring.inputs.map(program.shape(of:)), output: program.shape(of: operation.wiring.output))
    }
}

/// The least that an operation moves, in bytes of single precision: every number that it reads, once, and every number
/// that it writes, once.
struct CompulsoryTraffic {
    let forward: Int
    let backward: Int

    init(_ operation: any Operation, in program: Program, need: GradientNeed) {
        let wiring = operation.wiring
        let inputs = wiring.inputs.map { program.shape(of: $0).count }
        let parameters = wiring.parameters.map { program.parameters[$0.index].shape.count }
        let output = program.shape(of: wiring.output).count
        let retention = operation.retention(
            shapes: wiring.inputs.map(program.shape(of:)), output: program.shape(of: wiring.output), need: need)
        // A pooled token is a part of its input, and the only one that is read.
        let isPart =
            operation is PoolOperation
            && operation.forwardFLOPs(
                shapes: wiring.inputs.map(program.shape(of:)), output: program.shape(of: wiring.output)) == 0
        let kept = need.any ? retention.buffers.reduce(0, +) : 0
        forward = 4 * ((isPart ? output : inputs.reduce(0, +)) + parameters.reduce(0, +) + output + kept)
        guard need.any else {
            backward = 0
            return
        }
        var floats = output + kept + (retention.output ? output : 0)
        for (index, count) in inputs.enumerated() {
            if retention.inputs[index] { floats += count }
            if need.inputs[index] && !operation.passesGradient(toInput: index) { floats += count }
        }
        for (index, count) in parameters.enumerated() where need.parameters[index] || need.inputs.contains(true) {
            floats += need.parameters[index] ? 2 * count : count
        }
        backward = 4 * floats
    }
}

extension Program {
    /// Floating-point operations of one backward pass over the batch, with the gradients that training needs.
    public var backwardFLOPs: Int {
        zip(operations, Differentiation(self, trains: true).needs).reduce(0) { total, pair in
            let (operation, need) = pair
            return total
                + operation.backwardFLOPs(
                    shapes: operation.wiring.inputs.map(shape(of:)), output: shape(of: operation.wiring.output),
                    need: need)
        }
    }
}
