import Foundation
import SSFAnalysis
import SSFCommands
import SSFGraph
import SSFModels
import SSFTensors

/// A model whose attention is looked at: which blocks, which tokens, and what it answers.
struct AttentionSubject {
    /// From 0.
    let block: Int
    let notes: [String]
    private let model: AnalyzedModel
    private let method: AttentionRun.Method
    private let heads: AttentionRun.Heads
    private let layout: TokenLayout
    private let marks: [(mark: String, heads: Int)]
    private let replacesPrompts: Bool

    /// - Throws: `UserError` for a model that is no plain vision transformer with a class token, and for a block or a head
    ///   that it does not have.
    init(
        _ model: AnalyzedModel, method: AttentionRun.Method, block: Int?, heads: AttentionRun.Heads
    ) throws {
        (self.model, self.method, self.heads) = (model, method, heads)
        var program = try model.tuned.program(batch: 1, mode: .inference)
        marks = program.markAttention()
        var base = model.tuned.baseProgram
        let size = model.tuned.imageSize
        let patch = model.tuned.model.imageMultiple
        let (rows, columns) = (size.height / patch, size.width / patch)
        let prefix = base.prefixTokenCount
        guard let first = base.markAttention().first, let own = marks.first,
            base.shape(of: base.marks[first.mark]!)[1] == prefix + rows * columns
        else {
            throw UserError(
                "the model \(model.name) has no maps of attention", expected: "blocks of attention among all patches",
                found: model.tuned.model.family)
        }
        guard model.hasClassToken else {
            throw UserError(
                "the model \(model.name) has no class token whose attention could be shown",
                remedy: "use a model that answers by its class token")
        }
        guard (block ?? 0) < marks.count else {
            throw UserError(
                "--block \(block!): the model \(model.name) has no such block",
                expected: "0 to \(marks.count - 1)", found: "\(block!)")
        }
        self.block = block ?? marks.count - 1
        if case .one(let head) = heads, head >= own.heads {
            throw UserError(
                "--heads \(head): the model \(model.name) has no such head", expected: "0 to \(own.heads - 1)",
                found: "\(head)")
        }
        let tokens = program.shape(of: program.marks[own.mark]!)[1]
        layout = TokenLayout(prefix: prefix, prompts: tokens - prefix - rows * columns, rows: rows, columns: columns)
        replacesPrompts = model.tuned.method.name == "vpt-deep"
        notes =
            (model.tuned.model as? VisionTransformer)?.configuration.poolsAverage == true
            ? [
                "the answer comes from the mean of the patches; the class token, whose attention is shown, has no part in it"
            ]
            : []
    }

    /// What the model makes of each image.
    func looks(
        at images: AnalysisImages, options: AnalysisDataOptions, _ console: Console
    ) throws -> [AttentionRun.Look] {
        let needed = method == .rollout ? Array(marks[...block]) : [marks[block]]
        let stream = try FeatureStream(
            [model], images: images, options: options, editing: { _, program in _ = program.markAttention() },
            marks: { _ in needed.map(\.mark) })
        var looks: [AttentionRun.Look] = []
        try stream.forEachBatch(console) { batch in
            let features = batch.models[0]
            for (place, index) in batch.indices.enumerated() {
                let blocks = needed.map { mark, heads in
                    let (shape, values) = features.tap(mark)
                    let size = shape[1] * shape[2]
                    return QueryKeyValues(
                        Array(values[place * size..<(place + 1) * size]), tokens: shape[1], heads: heads)
                }
                let maps = maps(of: blocks)
                guard maps.allSatisfy(\.isFinite) else {
                    throw UserError(
                        "the attention of the model \(model.name) is not finite", expected: "finite numbers",
                        found: "others, for \(images.names[index])",
                        remedy: "check the weights: a run may have diverged; or pass --precision f32")
                }
                looks.append(look(maps, features: features, place: place, image: index, images))
            }
        }
        return looks
    }

    private func maps(of blocks: [QueryKeyValues]) -> [AttentionMap] {
        if method == .rollout {
            return [AttentionMap.rollout(blocks, layout: layout, replacesPrompts: replacesPrompts)]
        }
        let maps = AttentionMap.classToken(blocks[0], layout: layout)
        switch heads {
        case .mean: return [.mean(maps)]
        case .each: return maps
        case .one(let head): return [maps[head]]
        }
    }

    private func look(
        _ maps: [AttentionMap], features: ModelFeatures, place: Int, image: Int, _ images: AnalysisImages
    ) -> AttentionRun.Look {
        guard let logits = features.logits else {
            return AttentionRun.Look(maps: maps, prediction: nil, isRight: nil)
        }
        let classes = model.opened.classes
        let row = Array(logits[place * classes.count..<(place + 1) * classes.count])
        let top = row.withUnsafeBufferPointer { FilePrediction(file: "", logits: $0, classes: classes, topk: 1).top[0] }
        let text = model.opened.labelDescriptions[top.label] ?? top.label
        return AttentionRun.Look(
            maps: maps, prediction: (top.label, text, top.probability),
            isRight: images.label(at: image, among: classes).map { $0 == top.index })
    }
}
