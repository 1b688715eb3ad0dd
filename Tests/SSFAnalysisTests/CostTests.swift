import Foundation
import SSFAnalysis
import SSFKernels
import SSFModels
import SSFTensors
import SSFTestSupport
import SSFTuning
import Testing

/// ViT-B/16 at 224 pixels: d = 768, L = 12, 196 patches and the class token. Integers were computed by hand.
@Suite("What tuning costs") struct CostTests {
    static let setting = CostSetting(
        model: "vit_base_patch16_224", hasRandomWeights: true, imageSize: 224, batch: 2, precision: .float32,
        classes: 100, threads: 1, steps: 1, warmUpSteps: 0, secondsPerMeasurement: 1)

    private func counts(_ text: String) throws -> CostCounts {
        try CostCounts(
            NamedTuning(text).tuning, of: VisionTransformer(timmName: "vit_base_patch16_224"), setting: Self.setting)
    }

    @Test("The base has 17.56 G multiply-adds and its classifier")
    func base() throws {
        // 12 layers: 12 d^2 for each of 197 tokens, 2 * 197^2 d for attention; 196 patches of 768 numbers; the head.
        let layers = 12 * (197 * 12 * 768 * 768 + 2 * 197 * 197 * 768)
        #expect(layers + 196 * 768 * 768 == 17_563_060_224)
        let linear = try counts("linear")
        #expect(linear.baseMultiplyAdds == 17_563_060_224 + 76_800)
        #expect(linear.extraTrainingMultiplyAdds == 0 && linear.trainable == 76_900)
        #expect(linear.merges && linear.published == nil)
    }

    @Test("200 prompts before the first layer cost 19.2 G multiply-adds, of which Table 2 states 0.18 G")
    func shallowPrompts() throws {
        let counts = try counts("vpt-shallow")
        // 397 tokens in place of 197 through everything.
        #expect(counts.extraTrainingMultiplyAdds == 12 * (200 * 12 * 589_824 + 2 * 768 * (397 * 397 - 197 * 197)))
        #expect(counts.extraTrainingMultiplyAdds == 19_176_652_800)
        #expect(counts.extraInferenceMultiplyAdds == 19_176_652_800)
        #expect(counts.published?.operations == 182_476_800)
        #expect(counts.published?.parameters == 153_600)
        #expect(counts.extraInferenceParameters == 153_600 && counts.trainable == 153_600 + 76_900)
        #expect(!counts.merges && counts.published?.holdsAtInference == true)
    }

    @Test("50 prompts before each layer cost 4.66 G multiply-adds, of which Table 2 states 0.41 G")
    func deepPrompts() throws {
        let counts = try counts("vpt-deep")
        #expect(counts.extraInferenceMultiplyAdds == 4_655_923_200)
        #expect(counts.published?.operations == 409_190_400)
        #expect(counts.published?.parameters == 460_800)
        #expect(counts.extraInferenceParameters == 460_800)
        // With 200, as many at each layer as shallow ones: the same tokens, twelve times the numbers.
        let many = try self.counts("vpt-deep:prompts=200")
        #expect(many.extraInferenceMultiplyAdds == 19_176_652_800 && many.extraInferenceParameters == 1_843_200)
    }

    @Test("An adapter stays at test; Table 2 leaves out its biases")
    func adapter() throws {
        let counts = try counts("adapter")
        #expect(counts.published?.parameters == 2 * 12 * 768 * 12)
        #expect(counts.extraInferenceParameters == 12 * (2 * 768 * 12 + 12 + 768))
        #expect(counts.published?.operations == 43_573_248)
        // The products of its two matrices; nothing else is counted.
        #expect(counts.extraInferenceMultiplyAdds == 43_573_248)
        #expect(try self.counts("adapter:form=houlsby").published == nil)
    }

    @Test("SSF adds a multiply-add for each number that it scales, and nothing at test")
    func scalingAndShifting() throws {
        let counts = try counts("ssf")
        #expect(counts.trainable == 282_724 && counts.extraTrainingParameters == 205_824)
        #expect(counts.extraInferenceParameters == 0 && counts.extraInferenceFLOPs == 0)
        // 11 d numbers of a token in each layer, the patches, and the last norm.
        #expect(counts.extraTrainingMultiplyAdds == 12 * 11 * 768 * 197 + 196 * 768 + 197 * 768)
        #expect(counts.extraTrainingFLOPs == 2 * counts.extraTrainingMultiplyAdds)
        #expect(
            counts.published
                == PublishedComplexity(parameters: 202_752, operations: 39_942_144, holdsAtInference: false))
        #expect(try self.counts("ssf:without=mlp").published == nil)
    }

    @Test("What merges is tested as the base; what does not is tested with all that it adds")
    func test() throws {
        let base = try counts("linear").inferenceFLOPs
        for subject in NamedTuning.standard {
            let counts = try counts(subject.name)
            if counts.merges {
                #expect(counts.inferenceFLOPs == base && counts.extraInferenceMultiplyAdds == 0, "\(subject.name)")
            } else {
                #expect(counts.inferenceFLOPs == base + 2 * counts.extraInferenceFLOPs, "\(subject.name)")
                #expect(counts.extraInferenceFLOPs > 0 && counts.extraInferenceParameters > 0, "\(subject.name)")
            }
            #expect(counts.trainingFLOPs > base && counts.trainingBytes > counts.trainingPlannedBytes)
        }
    }

    @Test("Every method of the registry is measured, SSF last")
    func subjects() {
        let names = NamedTuning.standard.map(\.name)
        #expect(names.sorted() == TuningRegistry.types.map { $0.name }.sorted())
        #expect(names.first == "full" && names.last == "ssf")
        #expect(NamedTuning.standard.map(\.title).contains("VPT-Shallow (200)"))
        #expect(NamedTuning.standard.map(\.title).contains("VPT-Deep (50)"))
    }

    @Test("Settings of a method follow its name; mistakes in them are named")
    func settings() throws {
        let subject = try NamedTuning("lora:rank=4")
        #expect(subject.tuning.options["rank"]?.integer == 4 && subject.title == "LoRA (rank=4)")
        #expect(try NamedTuning("vpt-deep:prompts=100").title == "VPT-Deep (100)")
        for (text, word) in [
            ("lorra", "did you mean lora"), ("vpt-deep:promts=5", "prompts"), ("vpt-deep:prompts=0", "1 to 4096"),
            ("vpt-deep:prompts", "KEY=VALUE"), ("vpt-deep:prompts=5:prompts=6", "twice"), ("", "there is no method"),
        ] {
            let error = #expect(throws: UserError.self) { try NamedTuning(text) }
            #expect(error?.description.contains(word) == true, "\(text): \(String(describing: error))")
        }
    }

    @Test("Names of architectures are timm's; others are refused")
    func architectures() throws {
        let large = try VisionTransformer(timmName: "vit_large_patch14_224").configuration
        #expect(large.width == 1024 && large.depth == 24 && large.heads == 16 && large.grid.rows == 16)
        for name in ["vit_base", "vit_bass_patch16_224", "vit_base_patch16_225", "vit_base_patchx_224", "resnet50"] {
            #expect(throws: UserError.self) { try VisionTransformer(timmName: name) }
        }
    }

    // MARK: Reports

    static func report() throws -> CostReport {
        let machine = RooflineTests.machine
        let model = try VisionTransformer(timmName: "vit_tiny_patch16_32")
        var setting = setting
        (setting.model, setting.imageSize) = ("vit_tiny_patch16_32", 32)
        let methods = try NamedTuning.standard.enumerated().map { index, subject in
            let seconds = 0.5 + Double(index)
            return try CostResult(
                subject, counts: CostCounts(subject.tuning, of: model, setting: setting),
                training: CostSample(seconds: [seconds + 1, seconds, 9], peakBytes: 2_000_000_000, plannedBytes: 7),
                test: CostSample(seconds: [0.25, 0.75], peakBytes: 500_000_000, plannedBytes: 3))
        }
        return CostReport(machine: machine, setting: setting, methods: methods)
    }

    @Test("The middle step counts; the spread is that of the steps between the quarters")
    func quantiles() {
        let odd = CostSample(seconds: [5, 1, 2, 100, 3], peakBytes: 0, plannedBytes: 0)
        #expect(odd.median == 3 && odd.spread == 3)
        let even = CostSample(seconds: [4, 1, 3, 2], peakBytes: 0, plannedBytes: 0)
        #expect(even.median == 2.5 && even.spread == 1.5)
        #expect(CostSample(seconds: [7], peakBytes: 0, plannedBytes: 0).spread == 0)
    }

    @Test("JSON gives back what was measured; CSV has a row for each method, empty where Table 2 has none")
    func files() throws {
        let report = try Self.report()
        let copy = try JSONDecoder().decode(CostReport.self, from: JSONEncoder().encode(report))
        #expect(copy.isComparable(with: report) && copy.methods.map(\.name) == report.methods.map(\.name))
        #expect(copy.methods.map(\.counts) == report.methods.map(\.counts))
        #expect(copy.methods.map(\.training) == report.methods.map(\.training))
        #expect(copy.methods.map(\.test) == report.methods.map(\.test))
        var other = copy
        other.setting.batch = 3
        #expect(!other.isComparable(with: report))
        let rows = report.csv().split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.count == 12 && rows.allSatisfy { $0.count == rows[0].count })
        let ssf = Dictionary(uniqueKeysWithValues: zip(rows[0], rows[11]))
        #expect(ssf["method"] == "ssf" && ssf["training_seconds"] == "10.5" && ssf["test_seconds"] == "0.5")
        #expect(ssf["published_at_inference"] == "false" && ssf["extra_parameters_inference"] == "0")
        #expect(rows[1][6] == "" && rows[0][6] == "published_extra_parameters")
    }

    @Test("The figure has the four panels of the paper, a bar for each method, and says what the colours mean")
    func figure() throws {
        let report = try Self.report()
        let panels = try #require(report.figure().panels.first)
        #expect(panels.map(\.title) == ["Training time", "Training memory", "Test time", "Test memory"])
        for panel in panels {
            let bars = panel.marks.compactMap { $0 as? HorizontalBars }.flatMap(\.bars)
            #expect(bars.map(\.row).sorted() == Array(0..<11))
            #expect(panel.marks.compactMap(\.legendEntry).count == 3)
        }
        let bars = panels[1].marks.compactMap { $0 as? HorizontalBars }.flatMap(\.bars)
        #expect(bars.allSatisfy { $0.value == 2 && $0.text == "2.00" })
        #expect(FigureFile.bytes(report.figure(), .svg) == FigureFile.bytes(report.figure(), .svg))
    }

    @Test("A run measures what an earlier one has not, training before test, and estimates its time")
    func run() throws {
        let subjects = try ["linear", "ssf"].map { try NamedTuning($0) }
        let model = try VisionTransformer(timmName: "vit_tiny_patch16_32")
        var setting = Self.setting
        setting.imageSize = 32
        let measurement = try CostMeasurement(subjects, of: model, setting: setting)
        let known = try #require(try Self.report().methods.first { $0.name == "linear" })
        var asked: [CostRequest] = []
        var finished: [String] = []
        let results = try measurement.run(checkpoint: "base", known: [known]) { progress in
            if case .finished(let result) = progress { finished.append(result.name) }
        } sample: { request in
            asked.append(request)
            return CostSample(seconds: [1], peakBytes: 1, plannedBytes: 1)
        }
        #expect(asked.map(\.part) == [.training, .test] && asked.allSatisfy { $0.tuning.method == "ssf" })
        #expect(results.map(\.name) == ["linear", "ssf"] && results[0] == known && finished == ["ssf"])
        let flops = measurement.items.map { Double($0.counts.trainingFLOPs + $0.counts.inferenceFLOPs) }
        let estimate = measurement.estimatedSeconds(rate: 1e9, start: 2)
        #expect(abs(estimate - (8 + (flops[0] + flops[1]) / 1e9)) < 1e-9)
        #expect(measurement.estimatedSeconds(rate: 1e9, start: 2, skipping: ["linear", "ssf"]) == 0)
    }
}
