import Foundation
import SSFCheckpoints
import SSFGraph
import SSFImages
import SSFTensors
import SSFTraining

/// Passes the images of an analysis through its models, batch by batch, and hands over what they compute on the way.
///
/// All models see the same images at the same time; models with the same preprocessing share the decoded ones. Never
/// more than a few batches are in memory.
///
///     let stream = try FeatureStream(models, images: images, options: data) { $0.blockMarks }
///     try stream.forEachBatch(console) { batch in
///         let features = try batch.models[0].features("blocks.3", .classToken)  // [batch.indices.count, 1, C]
///     }
package final class FeatureStream {
    /// In which order the images come.
    package enum Order: Sendable {
        /// As the data set lists them.
        case listed
        /// Mixed, so that every batch is a sample of the whole: sets often stand class by class.
        case shuffled(seed: UInt64)
    }

    /// The images of one step, and what each model makes of them.
    package struct Batch {
        /// Position of each image in `AnalysisImages`.
        package let indices: [Int]
        /// Class of each image.
        package let labels: [Int]
        /// In the order of the models.
        package let models: [ModelFeatures]
    }

    private let models: [AnalyzedModel]
    private let images: AnalysisImages
    private let taps: [Set<String>]
    private let edit: (Int, inout SSFGraph.Program) -> Void
    private let order: [Int]
    private let batchSize: Int
    private let workers: Int
    private var executors: [Executor?]

    /// Prepares a pass.
    ///
    /// - Parameters:
    ///   - options: batch size and threads that decode.
    ///   - editing: may mark further values of the program of a model (by its place), which can then be asked for.
    ///   - marks: the layers of a model that will be asked for.
    /// - Throws: `UserError` for a model that does not have such a layer, and when a batch needs more memory than there
    ///   is.
    package init(
        _ models: [AnalyzedModel], images: AnalysisImages, options: AnalysisDataOptions, order: Order = .listed,
        editing: @escaping (Int, inout SSFGraph.Program) -> Void = { _, _ in }, marks: (AnalyzedModel) -> [String]
    ) throws {
        self.models = models
        self.images = images
        edit = editing
        taps = models.map { Set(marks($0)) }
        switch order {
        case .listed: self.order = Array(0..<images.count)
        case .shuffled(let seed):
            var random = RandomGenerator(seed: seed, stream: "analysis order")
            self.order = random.permutation(images.count)
        }
        batchSize = min(options.batchSize, max(images.count, 1))
        workers = options.workers
        executors = models.map { _ in nil }
        try checkMemory()
    }

    /// How many batches a pass has, and how many images the last one has.
    package var batchCount: Int { (order.count + batchSize - 1) / batchSize }

    /// Runs the pass.
    ///
    /// - Parameters:
    ///   - console: is told how many images have passed.
    ///   - body: takes what it wants of a batch; nothing of it is valid afterwards.
    /// - Throws: `UserError` that names an image which cannot be read, and what `body` throws.
    package func forEachBatch(_ console: Console? = nil, _ body: (Batch) throws -> Void) throws {
        let kinds = Self.kinds(of: models)
        let loaders = kinds.map { members in
            ImageLoader(
                images.dataset, order: order, batchSize: batchSize,
                pipeline: models[members[0]].opened.preprocessing.pipeline(orientation: images.orientation),
                threads: workers)
        }
        let progress = console.map { AnalysisProgress($0, "images", of: order.count) }
        defer { executors = models.map { _ in nil } }
        for _ in 0..<batchCount {
            var features = [ModelFeatures?](repeating: nil, count: models.count)
            var indices: [Int] = []
            var labels: [Int] = []
            for (members, loader) in zip(kinds, loaders) {
                guard let batch = try loader.next() else { preconditionFailure("a loader ended early") }
                (indices, labels) = (batch.indices, batch.labels.map(Int.init))
                for index in members {
                    let executor = try executor(of: index, batch: batch.count)
                    _ = executor.images.update(fromContentsOf: batch.images)
                    executor.forward()
                    features[index] = ModelFeatures(model: models[index], executor: executor)
                }
            }
            try body(Batch(indices: indices, labels: labels, models: features.map { $0! }))
            progress?.advance(by: indices.count)
        }
    }

    /// The models by preprocessing, in the order in which they are named.
    private static func kinds(of models: [AnalyzedModel]) -> [[Int]] {
        var kinds: [(preprocessing: Preprocessing, members: [Int])] = []
        for (index, model) in models.enumerated() {
            if let kind = kinds.firstIndex(where: { $0.preprocessing == model.opened.preprocessing }) {
                kinds[kind].members.append(index)
            } else {
                kinds.append((model.opened.preprocessing, [index]))
            }
        }
        return kinds.map(\.members)
    }

    /// One executor of a model at a time: the last batch, which may be smaller, replaces that of the whole ones.
    private func executor(of index: Int, batch: Int) throws -> Executor {
        if let found = executors[index], found.batch == batch { return found }
        executors[index] = nil
        let made = Executor(
            try program(of: index, batch: batch), parameters: models[index].tuned.parameters, mode: .inference,
            taps: taps[index], precision: models[index].tuned.options.precision)
        executors[index] = made
        return made
    }

    private func program(of index: Int, batch: Int) throws -> SSFGraph.Program {
        var program = try models[index].tuned.program(batch: batch, mode: .inference)
        edit(index, &program)
        if let missing = taps[index].sorted().first(where: { program.marks[$0] == nil }) {
            throw UserError(
                "the model \(models[index].name) has no layer \(missing)",
                expected: program.marks.keys.sorted().joined(separator: ", "))
        }
        return program
    }

    private func checkMemory() throws {
        let bytes = try models.indices.reduce(0) { sum, index in
            sum
                + Executor.plannedByteCount(
                    of: try program(of: index, batch: batchSize), mode: .inference, taps: taps[index],
                    precision: models[index].tuned.options.precision)
        }
        try MemoryLimit.check(bytes: bytes, for: "a batch through the models", remedy: "lower --batch-size")
    }
}
