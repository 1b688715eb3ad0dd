import ArgumentParser
import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFKernels
import SSFModels
import SSFParallel
import SSFTensors
import SSFTraining
import SSFTuning

struct Cost: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure what tuning methods cost: time and memory of training and test.",
        discussion: """
            The cost figure of the SSF paper on this machine: for each method the time of a training step (forward, \
            backward, AdamW) and of a batch at test, and the peak of memory of both, each in a process of its own. A \
            method that merges is tested as the base, for that is what merging leaves. Beside the measurements stand \
            the numbers and the multiply-adds that a method adds, as counted and as Table 2 of the paper states them; \
            its formulas for prompts count the attention products alone, so that the true figures are many times higher.

            The defaults are the paper's setting: ViT-B/16, images of 224 pixels, batches of 16, mixed precision. Time \
            and memory do not depend on the values of the weights, so that none are needed: --architecture draws them. \
            --model measures a checkpoint.

            A method may have settings: --methods ssf,lora:rank=4,vpt-deep:prompts=100.

            With --output, the folder receives cost.png, .svg and .pdf, cost.csv and cost.json after each method; with \
            --resume, methods that it holds already in the same setting stay there and are not measured again.
            """)

    @Option(help: ArgumentHelp("Checkpoint to measure.", valueName: "path"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Architecture with random weights, by timm's name (default: vit_base_patch16_224).", valueName: "name"))
    var architecture: String?

    @Option(help: ArgumentHelp("Methods, separated by commas (default: all).", valueName: "names"))
    var methods: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Height and width of the images (default: the model's).", valueName: "pixels"))
    var imgSize: Int?

    @Option(parsing: .unconditional, help: "Images of a step and of a test batch.")
    var batchSize = 16

    @Option(help: "Arithmetic and storage of what is frozen: bf16 (mixed precision) or f32.")
    var precision = "bf16"

    @Option(parsing: .unconditional, help: "Rows of the classifier.")
    var classes = 100

    @Option(parsing: .unconditional, help: "Measured steps of each, at most.")
    var steps = 7

    @Flag(help: "Two steps of each instead of seven.")
    var quick = false

    @Option(parsing: .unconditional, help: "Threads that compute (default: the CPUs this process may use).")
    var threads: Int?

    @Option(help: ArgumentHelp("Folder for the figure and the numbers.", valueName: "path"))
    var output: String?

    @Flag(help: "Keep what the folder of --output holds in the same setting.")
    var resume = false

    @Option(help: "How to print the report: text or json.")
    var format = ReportFormat.text

    @Flag(help: "Say nothing but warnings, errors and the report.")
    var quiet = false

    func validate() throws {
        func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
            if let value, !range.contains(value) {
                throw ValidationError("--\(name) must be \(range.lowerBound) to \(range.upperBound), not \(value).")
            }
        }
        if let threads, threads < 1 {
            throw ValidationError("--threads must be 1 or more, not \(threads). Leave it out to use every CPU.")
        }
        try check("img-size", imgSize, 1...4096)
        try check("batch-size", batchSize, 1...65_536)
        try check("classes", classes, 1...1_000_000)
        try check("steps", steps, 1...1000)
        guard Precision(rawValue: precision) != nil else {
            throw ValidationError("--precision must be bf16 or f32, not \(precision).")
        }
        if model != nil && architecture != nil {
            throw ValidationError("--model and --architecture exclude each other: one brings weights, one draws them.")
        }
        if resume && output == nil { throw ValidationError("--resume needs the folder, --output.") }
    }

    func run() throws {
        let pinning = try Program.begin(threads: threads)
        let console = Console(quiet: quiet)
        let subjects = try methods.map { try NamedTuning.list($0).map(\.method) } ?? NamedTuning.standard
        let name = architecture ?? "vit_base_patch16_224"
        let drawn = try model == nil ? VisionTransformer(timmName: name) : nil
        let architecture: any Model =
            try drawn ?? ModelRegistry.model(for: try Checkpoint.load(model!))
        let native = architecture.nativeImageSize
        guard imgSize != nil || native.height == native.width else {
            throw UserError(
                "the model is made for images of \(native.height)x\(native.width), and squares are measured",
                remedy: "pass --img-size")
        }
        let setting = CostSetting(
            model: model ?? name, hasRandomWeights: drawn != nil, imageSize: imgSize ?? native.height,
            batch: batchSize, precision: Precision(rawValue: precision)!, classes: classes,
            threads: Parallel.threads, steps: quick ? min(2, steps) : steps, warmUpSteps: quick ? 1 : 2,
            secondsPerMeasurement: quick ? 5 : 20)
        let measurement = try CostMeasurement(subjects, of: architecture, setting: setting)
        try Self.checkMemory(measurement)
        var report = CostReport(machine: .current(pinning), setting: setting, methods: [])
        // Before the time is spent.
        let folder = try output.map { try OutputFolder($0) }
        let known = try resume ? folder.map { try Self.earlier($0, like: report) } ?? [] : []
        announce(measurement, known: known, console)

        Interruption.listen()
        let isComplete = subjects.allSatisfy { subject in known.contains { $0.name == subject.name } }
        let weights = try isComplete ? nil : drawn.map { try RandomWeights($0, name: name) }
        defer { weights?.remove() }
        report.take(known)
        let results = try measurement.run(checkpoint: model ?? weights?.path ?? "", known: known) { progress in
            switch progress {
            case .begins(let subject, let part, let index, let count):
                console.transient("[\(index + 1)/\(count)] \(subject.name), \(part.rawValue)")
            case .finished(let result):
                console.line(CostText.line(result))
                report.take([result])
                // A run that is stopped leaves what it has measured.
                try folder?.write(report)
            }
        } sample: { request in
            if Interruption.isRequested { throw ExitCode(130) }
            do {
                return try CostProcess.sample(request)
            } catch {
                // Ctrl-C ends the process that measures, too.
                if Interruption.isRequested { throw ExitCode(130) }
                throw error
            }
        }
        report.take(results)
        if let folder {
            let names = try folder.write(report)
            console.line("written to \(folder.path): \(names.joined(separator: ", "))")
        }
        switch format {
        case .json: try StandardOutput.write(try JSONText.of(report))
        case .text: for line in CostText.lines(report) { try StandardOutput.line(line) }
        }
        if output == nil && format == .text { console.next("ssf-analyze cost --output cost") }
    }

    private func announce(_ measurement: CostMeasurement, known: [CostResult], _ console: Console) {
        let names = Set(known.map(\.name))
        let left = measurement.items.count { !names.contains($0.subject.name) }
        if !known.isEmpty {
            console.note(
                "\(Formatting.counted(known.count, "method")) \(known.count == 1 ? "is" : "are") kept from \(output!)")
        }
        let precision = measurement.setting.precision
        let peak =
            MachinePeak.gigaFLOPs(precision: precision, threads: Parallel.threads, windows: 20)
            ?? MachinePeak.gigaFLOPs(threads: Parallel.threads, windows: 20)
        // What steps of training usually reach.
        let seconds = measurement.estimatedSeconds(
            rate: 1e9 * peak * (precision == .float32 ? 0.7 : 0.4), start: 1.5, skipping: names)
        console.line(
            "measuring \(Formatting.counted(left, "method")) of \(measurement.setting.model), training and test, "
                + "each in a process of its own: about \(Formatting.duration(seconds))")
    }

    /// Refuses what would not fit into memory, before the first measurement.
    private static func checkMemory(_ measurement: CostMeasurement) throws {
        for item in measurement.items {
            try MemoryLimit.check(
                bytes: max(item.counts.trainingBytes, item.counts.inferenceBytes),
                for: "measuring \(item.subject.name)",
                remedy: "lower --batch-size or --img-size, or name other --methods")
        }
    }

    /// The results of an earlier run in the folder, if it was made in the same setting on this machine.
    private static func earlier(_ folder: OutputFolder, like report: CostReport) throws -> [CostResult] {
        let path = folder.file("cost.json")
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        guard let data = FileManager.default.contents(atPath: path),
            let earlier = try? JSONDecoder().decode(CostReport.self, from: data)
        else {
            throw UserError(
                "\(path) cannot be read", expected: "a report of ssf-analyze cost", remedy: "leave --resume out")
        }
        guard earlier.isComparable(with: report) else {
            throw UserError(
                "\(path) was measured in another setting or on another machine, and cannot stand beside new numbers",
                expected: "\(report.setting.model), \(CostText.setting(report))",
                found: "\(earlier.setting.model), \(CostText.setting(earlier))",
                remedy: "leave --resume out, or choose another --output")
        }
        return earlier.methods
    }
}

extension OutputFolder {
    @discardableResult
    fileprivate func write(_ report: CostReport) throws -> [String] {
        try write(report.figure(), as: "cost", csv: report.csv(), json: try JSONText.of(report), as: "cost")
    }
}
