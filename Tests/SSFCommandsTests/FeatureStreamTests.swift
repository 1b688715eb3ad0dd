import Foundation
import SSFCheckpoints
import SSFCommands
import SSFTensors
import SSFTestSupport
import SSFTuning
import Testing

@Suite("Features of models over images")
struct FeatureStreamTests {
    private let folder: TemporaryFolder
    private static let base = Goldens.path("gradients/vit")
    private static let classes = ["0", "1", "2", "3", "4"]

    init() throws { folder = try TemporaryFolder() }

    /// An adapter folder for the small base, with parameters as they begin.
    private func adapter(_ method: String, _ options: [String: JSONValue] = [:], name: String) throws -> String {
        let checkpoint = try Checkpoint.load(Self.base)
        let tuning = TuningConfiguration(method: method, options: options)
        let model = try TunedModel(
            checkpoint: checkpoint, options: TunedModel.Options(tuning: tuning, classes: Self.classes, seed: 3))
        let size = model.imageSize
        let configuration = AdapterConfiguration(
            peftType: method.uppercased(), tuningMode: method, baseModelPath: Self.base,
            baseModelChecksum: checkpoint.checksum, targetModules: model.targetModules, labelNames: Self.classes,
            preprocessing: Preprocessing(
                inputSize: [3, size.height, size.width], mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5],
                cropMode: "squash"), methodOptions: model.tuning.options)
        try AdapterFolder(configuration: configuration, tensors: model.adapterTensors()).write(to: folder.file(name))
        return folder.file(name)
    }

    private func open(_ models: [String], _ data: [String] = []) throws -> (
        models: [AnalyzedModel], images: AnalysisImages, options: AnalysisDataOptions
    ) {
        let options = try AnalysisDataOptions.parse(
            ["--data", "synthetic:shape?train=8&val=4&test=10&size=32"] + data)
        let list = try ModelListOptions.parse(models.flatMap { ["--model", $0] })
        return (
            try list.open(preprocessing: try PreprocessingOptions.parse(["--crop-pct", "1"]), precision: .float32),
            try options.open(),
            options
        )
    }

    @Test("Prompts are left out: class token and patches are those behind and before them")
    func prompts() throws {
        let path = try adapter("vpt-deep", ["prompts": .integer(3)], name: "vpt")
        let (models, images, options) = try open(["vpt=\(path)"], ["--batch-size", "4"])
        let model = models[0]
        let (tokens, width) = try model.extent(of: "blocks.0", .all)
        var seen = 0
        try FeatureStream(models, images: images, options: options) { $0.blockMarks + ["norm"] }.forEachBatch { batch in
            let raw = batch.models[0].tap("blocks.0")
            #expect(raw.shape.dimensions == [batch.indices.count, tokens + 3, width])
            let values = Array(raw.values)
            let all = try batch.models[0].features("blocks.0", .all)
            let classToken = try batch.models[0].features("blocks.0", .classToken)
            let mean = try batch.models[0].features("blocks.0", .mean)
            for image in batch.indices.indices {
                let own = values[(image * (tokens + 3) * width)...].prefix((tokens + 3) * width)
                let kept = own.prefix(width) + own.dropFirst(4 * width)
                let agrees = all[(image * tokens * width)...].prefix(tokens * width).elementsEqual(kept)
                #expect(agrees)
                let agreesFirst = classToken[(image * width)...].prefix(width).elementsEqual(own.prefix(width))
                #expect(agreesFirst)
                let patches = own.dropFirst(4 * width)
                let first = stride(from: patches.startIndex, to: patches.endIndex, by: width).map {
                    Double(patches[$0])
                }
                let average = Float(first.reduce(0, +) / Double(tokens - 1))
                #expect(mean[image * width] == average)
            }
            // The last norm stands behind the prompts' end.
            #expect(batch.models[0].tap("norm").shape.dimensions == [batch.indices.count, tokens, width])
            #expect(batch.models[0].predictions?.count == batch.indices.count)
            seen += batch.indices.count
        }
        #expect(seen == images.count)
    }

    @Test("Features depend neither on the order, nor on the batch size, nor on the other models")
    func independent() throws {
        let ssf = try adapter("ssf", name: "ssf")
        func features(_ models: [String], _ batch: Int, _ order: FeatureStream.Order) throws -> [[Float]] {
            let (models, images, options) = try open(models, ["--batch-size", "\(batch)"])
            var rows = [[Float]](repeating: [], count: images.count)
            let stream = try FeatureStream(models, images: images, options: options, order: order) { _ in ["norm"] }
            try stream.forEachBatch { batch in
                let values = try batch.models[0].features("norm", .classToken)
                let width = values.count / batch.indices.count
                for (row, index) in batch.indices.enumerated() {
                    #expect(batch.labels[row] == images.labels[index])
                    rows[index] = Array(values[(row * width)..<((row + 1) * width)])
                }
            }
            return rows
        }
        let one = try features(["ssf=\(ssf)"], 10, .listed)
        let other = try features(["ssf=\(ssf)", "base=\(Self.base)"], 3, .shuffled(seed: 7))
        #expect(one.count == 10)
        #expect(one.allSatisfy { !$0.isEmpty })
        let agrees = zip(one, other).allSatisfy { $0.elementsEqual($1) }
        #expect(agrees)
    }

    @Test("The pre-trained model of an adapter has the base's features")
    func pretrained() throws {
        let ssf = try adapter("ssf", name: "ssf")
        let (models, images, options) = try open(["ssf=\(ssf)", "base=\(Self.base)"])
        let pretrained = try #require(try models[0].pretrained(name: "pre-trained"))
        #expect(try models[1].pretrained(name: "none") == nil)
        let all = [pretrained] + models
        try FeatureStream(all, images: images, options: options) { $0.blockMarks }.forEachBatch { batch in
            let features = try batch.models.map { try $0.features("blocks.1", .mean) }
            let (equalsBase, equalsTuned) = (
                features[0].elementsEqual(features[2]), features[0].elementsEqual(features[1])
            )
            #expect(equalsBase)
            #expect(!equalsTuned)
        }
    }

    @Test("A limit takes evenly from the classes, the same for a seed")
    func limit() throws {
        let whole = try open([Self.base]).images
        let few = try open([Self.base], ["--limit", "5", "--seed", "1"]).images
        #expect(few.count == 5)
        #expect(few.dataset.histogram.max()! - few.dataset.histogram.min()! <= 1)
        #expect(few.names == (try open([Self.base], ["--limit", "5", "--seed", "1"]).images.names))
        #expect(Set(few.names).isSubset(of: Set(whole.names)))
        #expect(few.names != (try open([Self.base], ["--limit", "5", "--seed", "2"]).images.names))
    }

    @Test("Names: given, from the path, from the run")
    func names() throws {
        let list = try ModelListOptions.parse([
            "--model", "a=x/y", "--model", "runs/ssf/best", "--model", "m.safetensors",
        ])
        #expect(try list.named().map(\.name) == ["a", "ssf", "m.safetensors"])
        for twice in [["a=x", "a=y"], ["runs/ssf/best", "runs/ssf/last"]] {
            let error = #expect(throws: UserError.self) {
                try ModelListOptions.parse(twice.flatMap { ["--model", $0] }).named()
            }
            #expect(error?.remedy?.contains("name of its own") == true)
        }
        #expect(throws: UserError.self) { try ModelListOptions.parse([]).named() }
        #expect(throws: UserError.self) { try ModelListOptions.parse(["--model", "=x"]).named() }
    }

    @Test("A layer that is not there and features that are no numbers are named")
    func mistakes() throws {
        let path = try adapter("ssf", name: "ssf")
        let (models, images, options) = try open(["ssf=\(path)"])
        let missing = #expect(throws: UserError.self) {
            try FeatureStream(models, images: images, options: options) { _ in ["blocks.7"] }
        }
        #expect(missing?.description.contains("no layer blocks.7") == true)
        models[0].tuned.parameters.trainable.floats.update(repeating: .nan)
        let stream = try FeatureStream(models, images: images, options: options) { $0.blockMarks }
        let broken = #expect(throws: UserError.self) {
            try stream.forEachBatch { _ = try $0.models[0].features("blocks.0", .classToken) }
        }
        #expect(broken?.description.contains("model ssf at blocks.0 are not finite") == true)
    }
}
