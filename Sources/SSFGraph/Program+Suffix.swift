import SSFTensors

/// The trained end of a program, cut off behind the last value that training never changes.
public struct ProgramSuffix: Sendable {
    /// The operations behind the cut. The value at the cut is its input of role `images`; parameters, labels and values
    /// keep their names and numbers, so that the `ParameterStore` of the whole program serves it.
    public let program: Program
    /// The value at the cut, in this program and in the whole one.
    public let cut: ValueID
    /// Numbers of it for one sample.
    public let width: Int
}

extension Program {
    /// The operations that training needs to repeat, where everything before them gives the same for the same images
    /// in every epoch.
    ///
    /// Those are the operations through which gradients flow. Where they read more than one value from before, the
    /// operations that make these are taken in too, until there is a single one.
    ///
    /// - Returns: nil where nothing before the first trained parameter could be saved, or where chance has a part in it
    ///   (a drop-path mask).
    public func trainedSuffix() -> ProgramSuffix? {
        let needs = Differentiation(self, trains: true).needs
        var isBehind = needs.map(\.any)
        guard isBehind.contains(true) else { return nil }
        var frontier = cutValues(isBehind)
        while frontier.count > 1 {
            let producers = operations.indices.filter { frontier.contains(operations[$0].wiring.output) }
            guard let last = producers.last else { return nil }
            isBehind[last] = true
            frontier = cutValues(isBehind)
        }
        guard let cut = frontier.first, values[cut.index].role == .activation else { return nil }
        let isDrawn = operations.indices.contains { index in
            !isBehind[index] && operations[index].wiring.inputs.contains { isMask($0) }
        }
        guard !isDrawn, shape(of: cut).rank > 0, shape(of: cut)[0] == batch else { return nil }

        var program = self
        program.operations = operations.indices.filter { isBehind[$0] }.map { operations[$0] }
        // Inputs that nobody reads any more would be given memory.
        let read = Set(program.operations.flatMap(\.wiring.inputs))
        for index in values.indices where values[index].role != .activation && values[index].role != .labels {
            if !read.contains(ValueID(index: index)) { program.values[index].role = .activation }
        }
        program.values[cut.index].role = .images
        guard program.forwardFLOPs < forwardFLOPs else { return nil }
        return ProgramSuffix(program: program, cut: cut, width: shape(of: cut).count / batch)
    }

    /// The values that the marked operations read and none of them makes; labels and masks are given anew for each step.
    private func cutValues(_ isBehind: [Bool]) -> Set<ValueID> {
        let behind = operations.indices.filter { isBehind[$0] }.map { operations[$0].wiring }
        let made = Set(behind.map(\.output))
        return Set(behind.flatMap(\.inputs)).filter {
            !made.contains($0) && values[$0.index].role != .labels && !isMask($0)
        }
    }

    private func isMask(_ value: ValueID) -> Bool {
        if case .mask = values[value.index].role { true } else { false }
    }
}
