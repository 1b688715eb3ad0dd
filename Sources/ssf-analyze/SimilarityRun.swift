import SSFAnalysis
import SSFCommands
import SSFKernels
import SSFParallel
import SSFTensors
import SSFTraining

/// `ssf-analyze similarity`: from options to a report.
struct SimilarityRun {
    private let options: Similarity
    private let console: Console
    private let choice: TokenChoice
    private let measures: [SimilarityMeasure]

    init(_ options: Similarity, _ console: Console) throws {
        (self.options, self.console) = (options, console)
        choice = TokenChoice(rawValue: options.tokens)!
        measures = try options.measures(choice)
    }

    /// A model with what it is there for.
    private struct Member {
        let model: AnalyzedModel
        let role: SimilarityReport.Role
    }

    func report() throws -> SimilarityReport {
        let members = try members()
        let images = try options.data.open()
        for note in images.notes { console.note(note) }
        if let needed = measures.map(\.leastImages).max(), images.count < needed {
            throw UserError(
                "too few images for \(measures.first { $0.leastImages == needed }!.rawValue)",
                expected: "\(needed) or more", found: "\(images.count)", remedy: "raise --limit, or give more images")
        }
        var notes = try checkBatches(images)
        let forms = try members.map { try form(of: $0.model) }
        notes += comparisons(members, forms)
        for note in notes { console.note(note) }
        let subject = try subject(members)
        try MemoryLimit.check(
            bytes: SimilarityCollector.byteCount(forms: forms, count: images.count, measures: Set(measures)),
            for: "the features of all images", remedy: "pass --measure cka-minibatch,cosine, or lower --limit")
        console.line(
            "isa \(KernelTable.current.instructionSet.rawValue)  threads \(Parallel.threads)  "
                + "data \(images.dataset.name), \(images.dataset.summary)")
        let values = try values(of: members, images, forms)
        return SimilarityReport(
            setting: SimilarityReport.Setting(
                program: "ssf-analyze \(ProgramVersion.text)", data: images.location, split: images.dataset.name,
                images: images.count, classes: images.classes.count, tokens: choice.rawValue, measures: measures,
                batchSize: options.data.batchSize, limit: options.data.limit, seed: options.data.seed,
                precision: members[0].model.tuned.options.precision.rawValue, replicates: options.replicates,
                instructionSet: KernelTable.current.instructionSet.rawValue, threads: Parallel.threads),
            models: zip(members, forms).map { Self.described($0, $1) }, values: values, subject: subject, notes: notes)
    }

    // MARK: Models

    /// The reference first, then what is compared, then ceiling and floor.
    private func members() throws -> [Member] {
        let names = try options.models.named().map(\.name)
        for (option, name) in [
            ("--reference", options.reference), ("--ceiling", options.ceiling), ("--subject", options.subject),
        ] {
            guard let name, !names.contains(name) else { continue }
            throw UserError(
                "\(option) \(name): no model has this name", expected: names.joined(separator: ", "),
                remedy: Suggestion.nearest(to: name, among: names).map { "did you mean \($0)?" })
        }
        let reference = options.reference ?? names[0]
        guard options.ceiling != reference else {
            throw UserError(
                "--ceiling is the reference itself", expected: "a run of the same method from another seed",
                remedy: "name another model")
        }
        let models = try options.models.open(
            preprocessing: options.preprocessing, precision: try options.runtime.chosenPrecision())
        for model in models { for note in model.opened.notes { console.note("\(model.name): \(note)") } }
        let first = models.first { $0.name == reference }!
        var members = [Member(model: first, role: .reference)]
        members += models.filter { $0.name != reference && $0.name != options.ceiling }
            .map { Member(model: $0, role: .compared) }
        members += models.filter { $0.name == options.ceiling }.map { Member(model: $0, role: .ceiling) }
        // The reference's own base; that of another model is none that the reference began with.
        if options.floor, let floor = try first.pretrained(name: unused("pre-trained", names)) {
            members.append(Member(model: floor, role: .floor))
        }
        guard members.count > 1 else {
            throw UserError(
                "there is nothing to compare \(reference) with", expected: "two models or more",
                remedy: "name another with --model NAME=PATH")
        }
        return members
    }

    private func unused(_ name: String, _ names: [String]) -> String {
        names.contains(name) ? unused(name + "'", names) : name
    }

    private func form(of model: AnalyzedModel) throws -> SimilarityCollector.Form {
        let marks = model.blockMarks
        guard let last = marks.last else {
            throw UserError("the model \(model.name) has no blocks that could be compared")
        }
        let (tokens, width) = try model.extent(of: last, choice)
        return SimilarityCollector.Form(tokens: tokens, width: width, depth: marks.count)
    }

    /// What cannot be compared, and why; ends where nothing can.
    private func comparisons(_ members: [Member], _ forms: [SimilarityCollector.Form]) -> [String] {
        var notes: [String] = []
        for (member, form) in zip(members, forms).dropFirst() {
            let names = "\(member.model.name) and \(members[0].model.name)"
            if form.depth != forms[0].depth {
                notes.append(
                    "\(names) have \(form.depth) and \(forms[0].depth) blocks: compared only in the map of all blocks")
            } else if form != forms[0] && measures.contains(.cosine) {
                notes.append(
                    "\(names) have \(form.tokens) x \(form.width) and \(forms[0].tokens) x \(forms[0].width) features: no "
                        + "cosine, which needs equal ones")
            }
        }
        return notes
    }

    /// The model of which it is asked whether it is the nearest.
    private func subject(_ members: [Member]) throws -> String? {
        let compared = members.filter { $0.role == .compared }.map(\.model)
        if let name = options.subject {
            guard compared.contains(where: { $0.name == name }) else {
                throw UserError(
                    "--subject \(name) is the reference or the ceiling",
                    expected: compared.map(\.name).joined(separator: ", "))
            }
            return name
        }
        let tuned = compared.filter { $0.opened.adapter != nil && $0.tuned.method.name == "ssf" }
        return options.replicates > 0 && tuned.count == 1 ? tuned[0].name : nil
    }

    private static func described(_ member: Member, _ form: SimilarityCollector.Form) -> SimilarityReport.Model {
        let model = member.model
        return SimilarityReport.Model(
            name: model.name, role: member.role, path: model.path,
            method: model.opened.adapter == nil ? nil : model.tuned.method.name, blocks: form.depth, width: form.width,
            tokens: (try? model.extent(of: "blocks.0", .all).tokens) ?? 1,
            imageSize: [model.tuned.imageSize.height, model.tuned.imageSize.width])
    }

    // MARK: Features

    private func checkBatches(_ images: AnalysisImages) throws -> [String] {
        guard measures.contains(.minibatchCKA) else { return [] }
        let least = SimilarityMeasure.minibatchCKA.leastImages
        let size = min(options.data.batchSize, images.count)
        guard size >= least else {
            throw UserError(
                "--batch-size is too small for cka-minibatch", expected: "\(least) or more", found: "\(size)")
        }
        let rest = images.count % size
        return rest > 0 && rest < least
            ? ["cka-minibatch leaves out the last \(Formatting.counted(rest, "image")): too few for a batch"] : []
    }

    private func values(
        of members: [Member], _ images: AnalysisImages, _ forms: [SimilarityCollector.Form]
    ) throws -> SimilarityValues {
        var collector = SimilarityCollector(forms: forms, count: images.count, measures: Set(measures))
        // Mixed: batches of a set that stands class by class would each hold one class.
        let stream = try FeatureStream(
            members.map(\.model), images: images, options: options.data, order: .shuffled(seed: options.data.seed)
        ) { $0.blockMarks }
        try stream.forEachBatch(console) { batch in
            let layers = try batch.models.enumerated().map { index, features in
                try features.model.blockMarks.map { mark in
                    let matrix = FeatureMatrix(
                        count: batch.indices.count, width: forms[index].tokens * forms[index].width)
                    try features.copy(mark, choice, to: matrix.base)
                    return matrix
                }
            }
            collector.add(layers, at: batch.indices)
        }
        return collector.finish(replicates: options.replicates, seed: options.data.seed)
    }
}
