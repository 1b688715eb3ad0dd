import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors
import SSFTestSupport
import SSFTuning
import Testing

/// Attention maps against timm's own probabilities.
@Suite struct AttentionMapTests {
    /// What attention reads in every block, for every image, of a golden's model; and what the model answers.
    private func blocks(
        _ golden: [String: Tensor], form: String, method: String? = nil
    ) throws -> (images: [[QueryKeyValues]], layout: TokenLayout, logits: [Float]) {
        let folder = Goldens.path("vit/\(form)")
        let images = try #require(try Goldens.tensors("vit/\(form)/golden.safetensors")["images"])
        let checkpoint = try Checkpoint.load(folder)
        let classes = try #require(checkpoint.configuration.labelNames)
        var tuning = TuningConfiguration(method: method ?? "linear")
        let prompts = golden["prompts.0"]?.shape[1] ?? 0
        if method != nil { tuning.options["prompts"] = .integer(prompts) }
        let model = try TunedModel(checkpoint: checkpoint, options: .init(tuning: tuning, classes: classes))
        if method != nil {
            var adapter = model.adapterTensors()
            for name in adapter.keys {
                // blocks.<i>.prompts
                let parts = name.split(separator: ".")
                if parts.last == "prompts" { adapter[name] = golden["prompts.\(parts[1])"] }
            }
            try model.load(adapterTensors: adapter)
        }
        let transformer = try #require(model.model as? VisionTransformer).configuration
        var program = try model.program(batch: images.shape[0], mode: .inference)
        let marks = program.markAttention()
        #expect(marks.map(\.mark) == (0..<transformer.depth).map { "blocks.\($0).attn.qkv" })
        let executor = Executor(
            program, parameters: model.parameters, mode: .inference, taps: Set(marks.map(\.mark)))
        _ = executor.images.update(fromContentsOf: images.floats)
        executor.forward()
        let layout = TokenLayout(
            prefix: transformer.prefixCount, prompts: prompts, rows: transformer.grid.rows,
            columns: transformer.grid.columns)
        let found = (0..<images.shape[0]).map { image in
            marks.map { mark, heads in
                let (shape, values) = executor.tap(mark)
                #expect(shape[1] == layout.count)
                let size = shape[1] * shape[2]
                return QueryKeyValues(
                    Array(values[image * size..<(image + 1) * size]), tokens: shape[1], heads: heads)
            }
        }
        return (found, layout, Array(executor.logits))
    }

    private func largestDifference(_ seen: [Double], _ expected: [Float]) -> Double {
        seen.count == expected.count ? zip(seen, expected).map { abs($0 - Double($1)) }.max() ?? 0 : .infinity
    }

    @Test(
        arguments: [
            ("vit", "vit", nil), ("qk-norm", "qk-norm", nil), ("deit-distilled", "deit-distilled", nil),
            ("dinov2-registers", "dinov2-registers", nil), ("vit-shallow", "vit", "vpt-shallow"),
            ("dinov2-registers-deep", "dinov2-registers", "vpt-deep"),
        ])
    func equalsTimm(_ name: String, _ form: String, _ method: String?) throws {
        let golden = try Goldens.tensors("attention/\(name).safetensors")
        let (images, layout, logits) = try blocks(golden, form: form, method: method)
        if let expected = golden["logits"] {
            #expect(largestDifference(logits.map(Double.init), expected.values) < 1e-4)
        }
        for (image, blocks) in images.enumerated() {
            for (index, block) in blocks.enumerated() {
                let expected = golden["attention.\(index)"]!
                #expect(expected.shape[2] == layout.count)
                let size = layout.count * layout.count
                for head in 0..<block.heads {
                    let start = (image * block.heads + head) * size
                    let seen = block.probabilities(of: 0..<layout.count, head: head)
                    let difference = largestDifference(
                        seen.map(Double.init), Array(expected.values[start..<start + size]))
                    #expect(difference < 1e-6, "block \(index) head \(head)")
                }
            }
            let maps = AttentionMap.classToken(blocks[blocks.count - 1], layout: layout)
            let expected = golden["class"]!.values
            for (head, map) in maps.enumerated() {
                let start = (image * maps.count + head) * layout.patches
                #expect(largestDifference(map.values, Array(expected[start..<start + layout.patches])) < 1e-6)
            }
            let rollout = AttentionMap.rollout(blocks, layout: layout, replacesPrompts: method == "vpt-deep")
            let row = Array(golden["rollout"]!.values[image * layout.patches..<(image + 1) * layout.patches])
            #expect(largestDifference(rollout.values, row) < 1e-6)
        }
    }

    @Test func aRowOfManyTokensIsThatOfAllBlocksOfQueries() {
        // More tokens than are computed at a time, and a last part that is not whole.
        let (tokens, heads, width) = (150, 2, 4)
        var random = RandomGenerator(seed: 3)
        let values = (0..<tokens * 3 * heads * width).map { _ in Float(random.normal()) }
        let block = QueryKeyValues(values, tokens: tokens, heads: heads)
        let layout = TokenLayout(prefix: 1, rows: 149, columns: 1)
        let matrices = (0..<heads).map { block.probabilities(of: 0..<tokens, head: $0) }
        var row = (0..<tokens).map { $0 == 0 ? 1.0 : 0 }
        for _ in 0..<3 {
            row = (0..<tokens).map { key in
                0.5 * row[key]
                    + (0..<tokens).reduce(0) { sum, query in
                        let mean = matrices.reduce(0) { $0 + Double($1[query * tokens + key]) } / Double(heads)
                        return sum + 0.5 * row[query] * mean
                    }
            }
        }
        let rollout = AttentionMap.rollout([block, block, block], layout: layout)
        for (seen, expected) in zip(rollout.values, row.dropFirst()) { #expect(abs(seen - expected) < 1e-9) }
        #expect(rollout.total < 1 && rollout.total > 0.5)
        let parts = block.probabilities(of: 70..<73, head: 1)
        #expect(parts.elementsEqual(matrices[1][70 * tokens..<73 * tokens]))
    }

    @Test func largeScoresDoNotOverflow() {
        let block = QueryKeyValues([200, 200, 1, -200, -200, 1, 200, 0, 1], tokens: 3, heads: 1)
        let row = block.probabilities(of: 0..<1, head: 0)
        #expect(row.elementsEqual([1, 0, 0]))
    }
}
