import SSFGraph
import SSFTensors

/// What one model has computed of one batch; valid until the next batch.
package struct ModelFeatures {
    package let model: AnalyzedModel
    private let executor: Executor

    init(model: AnalyzedModel, executor: Executor) {
        (self.model, self.executor) = (model, executor)
    }

    /// Images of the batch.
    package var count: Int { executor.batch }

    /// Copies the features of a layer, [count, tokens, width] as `AnalyzedModel.extent` says, without prompts.
    ///
    /// - Parameter target: has room for them.
    /// - Throws: `UserError` for a layer that was not asked for, and for numbers that are not finite.
    package func copy(_ mark: String, _ tokens: TokenChoice, to target: UnsafeMutablePointer<Float>) throws {
        let (kept, width) = try model.extent(of: mark, tokens)
        let (shape, view) = tap(mark)
        let own = shape.rank == 3 ? shape[1] : 1
        let prefix = model.tuned.baseProgram.prefixTokenCount
        // The tokens that a method has added stand behind the prefix, as `VisualPrompts` puts them.
        let added =
            shape.rank == 3 ? own - model.tuned.baseProgram.shape(of: model.tuned.baseProgram.marks[mark]!)[1] : 0
        view.withContiguousStorageIfAvailable { values in
            for image in 0..<count {
                let source = values.baseAddress! + image * own * width
                let row = target + image * kept * width
                switch tokens {
                case .classToken: row.update(from: source, count: width)
                case .mean where shape.rank == 3:
                    Self.mean(of: source + (prefix + added) * width, tokens: own - prefix - added, width, to: row)
                case .mean: row.update(from: source, count: width)
                case .all:
                    let head = shape.rank == 3 ? prefix * width : kept * width
                    row.update(from: source, count: head)
                    (row + head).update(from: source + head + added * width, count: kept * width - head)
                }
            }
        }
        let values = UnsafeBufferPointer(start: target, count: count * kept * width)
        guard values.allSatisfy({ $0.isFinite }) else {
            throw UserError(
                "the features of the model \(model.name) at \(mark) are not finite", expected: "finite numbers",
                remedy: "check the weights: a run may have diverged; or pass --precision f32")
        }
    }

    /// The same as an array.
    package func features(_ mark: String, _ tokens: TokenChoice) throws -> [Float] {
        let (kept, width) = try model.extent(of: mark, tokens)
        return try [Float](unsafeUninitializedCapacity: count * kept * width) { buffer, filled in
            try copy(mark, tokens, to: buffer.baseAddress!)
            filled = buffer.count
        }
    }

    /// A value that was marked, as the model has it, prompts and all.
    ///
    /// - Precondition: it was asked for.
    package func tap(_ mark: String) -> (shape: Shape, values: FloatView) { executor.tap(mark) }

    /// The answer, [count, K]; nil where the model has no trained classifier.
    package var logits: FloatView? { model.opened.hasClassifier ? executor.logits : nil }

    /// The most probable class of each image, as an index of the model's own classes.
    package var predictions: [Int]? {
        guard let logits else { return nil }
        let classes = logits.count / count
        return (0..<count).map { image in
            (0..<classes).max { logits[image * classes + $0] < logits[image * classes + $1] }!
        }
    }

    /// Sums in double precision: a mean of many tokens is as exact as one of few.
    private static func mean(
        of source: UnsafePointer<Float>, tokens: Int, _ width: Int, to row: UnsafeMutablePointer<Float>
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { sums in
            sums.initialize(repeating: 0)
            for token in 0..<tokens {
                for c in 0..<width { sums[c] += Double(source[token * width + c]) }
            }
            for c in 0..<width { row[c] = Float(sums[c] / Double(tokens)) }
        }
    }
}
