import SSFCheckpoints
import SSFGraph
import SSFModels
import SSFTensors
import SSFTestSupport
import SSFTuning
import Testing

/// The published numbers of trained parameters, as exact integers, for ViT-B/16.
@Suite struct MethodCountTests {
    /// A method with options, a number of classes, and the count.
    struct Row: Sendable, CustomTestStringConvertible {
        let method: String
        var options: [String: JSONValue] = [:]
        var classes = 100
        let count: Int

        init(_ method: String, _ options: [String: JSONValue] = [:], classes: Int = 100, is count: Int) {
            self.method = method
            self.options = options
            self.classes = classes
            self.count = count
        }

        var testDescription: String {
            "\(method) \(options.map { "\($0.key)=\($0.value.text)" }.sorted().joined(separator: " ")), \(classes) classes"
        }
    }

    private static func words(_ words: String...) -> JSONValue { .array(words.map(JSONValue.string)) }

    /// (d + 1) K.
    private static func head(_ classes: Int) -> Int { 769 * classes }

    static let rows: [Row] = [
        // Tables 1 to 5 of arXiv 2210.08823, for 100 and 1000 classes, and the sums over the classes of FGVC and VTAB.
        Row("ssf", is: 282_724), Row("ssf", classes: 1000, is: 974_824),
        Row("linear", is: 76_900), Row("linear", classes: 1000, is: 769_000),
        Row("full", is: 85_875_556), Row("full", classes: 1000, is: 86_567_656),
        Row("bias", is: 102_912 + head(100)), Row("bias", classes: 1000, is: 102_912 + head(1000)),
        Row("adapter", is: 230_544 + head(100)), Row("adapter", classes: 1000, is: 230_544 + head(1000)),
        Row("vpt-shallow", is: 153_600 + head(100)), Row("vpt-shallow", classes: 1000, is: 153_600 + head(1000)),
        Row("vpt-deep", is: 460_800 + head(100)), Row("vpt-deep", classes: 1000, is: 460_800 + head(1000)),
        // Table 6a: layers.
        Row("ssf", ["layers": .integer(0)], is: 76_900), Row("ssf", ["layers": .integer(2)], is: 113_764),
        Row("ssf", ["layers": .integer(4)], is: 147_556), Row("ssf", ["layers": .integer(8)], is: 215_140),
        Row("ssf", ["layers": .integer(12)], is: 282_724),
        // Table 6b: places.
        Row("ssf", ["without": words("mlp")], is: 190_564), Row("ssf", ["without": words("attn")], is: 208_996),
        Row("ssf", ["without": words("embed")], is: 281_188), Row("ssf", ["without": words("norm")], is: 245_860),
        // Table 6c: beginnings change no count.
        Row("ssf", ["init": .string("random")], is: 282_724), Row("ssf", ["init": .string("constant")], is: 282_724),
        Row("ssf", ["init": .string("uniform")], is: 282_724),
        Row("ssf", ["init": .string("trunc_normal")], is: 282_724),
        // Table 6d: components.
        Row("ssf", ["without": words("scale")], is: 179_812), Row("ssf", ["without": words("shift")], is: 179_812),
        Row("ssf", ["only": .string("norm")], is: 113_764), Row("ssf", ["scalar-scale": .bool(true)], is: 179_886),
        Row("ln", is: 115_300),
        // Of the methods' own papers, without the classifier's 76,900.
        Row("lora", is: 294_912 + head(100)), Row("lora", ["targets": words("q", "v")], is: 294_912 + head(100)),
        Row("adaptformer", is: 1_189_632 + head(100)),
        Row(
            "adaptformer", ["bottleneck": .integer(8), "adapter-bias": .bool(false)], is: 147_456 + head(100)),
        Row("adaptformer", ["bottleneck": .integer(8)], is: 156_768 + head(100)),
        Row("adapter", ["bottleneck": .integer(8)], is: 156_768 + head(100)),
        Row("adapter", ["form": .string("houlsby")], is: 461_088 + head(100)),
        Row("repadapter", is: 239_808 + head(100)),
        Row("repadapter", ["form": .string("attn")], is: 119_904 + head(100)),
        // Parts of full fine-tuning.
        Row("full", ["train-only": words("attn")], is: 12 * (4 * 768 * 768 + 4 * 768) + head(100)),
        Row("full", ["train-only": words("mlp")], is: 12 * (8 * 768 * 768 + 5 * 768) + head(100)),
        Row("full", ["train-only": words("blocks.10", "blocks.11")], is: 2 * 7_087_872 + head(100)),
        Row("full", ["train-only": words("blocks.*.norm*")], is: 48 * 768 + head(100)),
    ]

    private func counts(_ row: Row) throws -> (attached: Int, formula: Int) {
        let model = VisionTransformer(
            .init(width: 768, depth: 12, heads: 12, patchSize: 16, imageHeight: 224, imageWidth: 224))
        let recorded = try model.record(
            RecordingOptions(batch: 1, imageHeight: 224, imageWidth: 224, classCount: row.classes))
        let method = try TuningRegistry.method(TuningConfiguration(method: row.method, options: row.options))
        var program = recorded
        try method.attach(to: &program, of: model)
        return (program.trainableCount, method.trainableCount(in: recorded, of: model))
    }

    @Test(arguments: rows)
    func countEqualsThePublishedOne(_ row: Row) throws {
        let counts = try counts(row)
        #expect(counts.attached == row.count)
        #expect(counts.formula == row.count)
    }

    /// Means over the five sets of FGVC and the nineteen of VTAB-1k, to the digits that are published.
    @Test(arguments: [
        ("ssf", 386_231, 243_869), ("linear", 180_407, 38_045), ("adapter", 410_951, 268_589),
        ("bias", 283_319, 140_957),
    ])
    func meansOverBenchmarks(_ method: String, _ fgvc: Int, _ vtab: Int) throws {
        let classes = [
            [200, 555, 102, 120, 196],
            [100, 102, 47, 102, 37, 10, 397, 2, 10, 45, 5, 8, 6, 6, 4, 16, 16, 18, 9],
        ]
        for (sets, mean) in zip(classes, [fgvc, vtab]) {
            let total = try sets.reduce(0) { try $0 + counts(Row(method, classes: $1, is: 0)).attached }
            #expect(Int((Double(total) / Double(sets.count)).rounded()) == mean)
        }
    }

    /// Every method is in the table above, so that none comes in without a count.
    @Test func everyMethodHasARow() {
        #expect(Set(TuningRegistry.methods.map(\.name)) == Set(Self.rows.map(\.method)))
    }

    /// The formula agrees with what is attached on forms that the paper did not have.
    @Test(arguments: [
        "vit/deit-distilled", "vit/dinov2-registers", "vit/clip", "vit/no-class-token", "vit/no-qkv-bias",
        "vit/qk-norm", "vit/mlp-ratio", "vit/average",
    ])
    func formulaHoldsOnOtherForms(_ folder: String) throws {
        let small: [String: [String: JSONValue]] = [
            "adapter": ["reduction": .integer(4)], "lora": ["rank": .integer(2)],
            "vpt-shallow": ["prompts": .integer(3)],
            "vpt-deep": ["prompts": .integer(3)],
        ]
        let checkpoint = try Checkpoint.load(Goldens.path(folder))
        for (name, _) in TuningRegistry.methods {
            // Attaching stops the program where formula and tensors differ.
            let tuned = try TunedModel(
                checkpoint: checkpoint,
                options: .init(
                    tuning: TuningConfiguration(method: name, options: small[name] ?? [:]), classes: ["a", "b", "c"]))
            #expect(tuned.parameters.layout.count > 0)
        }
    }
}
