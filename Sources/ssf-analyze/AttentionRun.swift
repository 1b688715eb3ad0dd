import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFImages
import SSFTensors

/// `ssf-analyze attention`: one model after the other looks at all images, then one image after the other is drawn.
///
/// What is kept of a model is a number for each patch; neither all models nor all images are ever in memory.
struct AttentionRun {
    enum Method: String, CaseIterable {
        case classToken = "class-token"
        case rollout
    }

    enum Heads: Equatable, CustomStringConvertible {
        case mean, each
        case one(Int)

        var description: String {
            switch self {
            case .mean: "mean"
            case .each: "each"
            case .one(let head): String(head)
            }
        }
    }

    /// What a model made of an image.
    struct Look {
        let maps: [AttentionMap]
        let prediction: (label: String, text: String, probability: Double)?
        /// Nil where the image's class is not known, or none of the model's.
        let isRight: Bool?
    }

    /// Images that are looked at where `--limit` is not given.
    private static let standardLimit = 4

    let options: Attention
    let console: Console

    /// - Throws: `UserError`, also for a model that has no class token or fewer blocks or heads than were asked for.
    func run() throws {
        let named = try options.models.named()
        let images = try openImages()
        // Before the time is spent.
        let folder = try OutputFolder(options.output)
        console.line("\(Formatting.counted(images.count, "image")), \(Formatting.counted(named.count, "model"))")

        var seen: [AttentionDrawing.Model] = []
        for model in named {
            let opened = try options.models.open(
                model, preprocessing: options.preprocessing, precision: options.runtime.chosenPrecision())
            for note in opened.opened.notes { console.note("\(model.name): \(note)") }
            let subject = try AttentionSubject(
                opened, method: options.method, block: options.block, heads: options.heads)
            for note in subject.notes { console.note("\(model.name): \(note)") }
            seen.append(
                AttentionDrawing.Model(
                    name: model.name, path: model.path, block: subject.block,
                    preprocessing: opened.opened.preprocessing,
                    looks: try subject.looks(at: images, options: options.data, console)))
        }
        var drawing = AttentionDrawing(options: options, models: seen, images: images, folder: folder)
        let names = try drawing.write(console)
        for line in drawing.lines { try StandardOutput.line(line) }
        console.line("written to \(folder.path): \(names.joined(separator: ", ")), cells/")
    }

    private func openImages() throws -> AnalysisImages {
        guard options.files.isEmpty else {
            return try AnalysisImages.files(options.files, orientation: options.data.exifOrientation)
        }
        var data = options.data
        data.limit = data.limit ?? Self.standardLimit
        let images = try data.open()
        for note in images.notes { console.note(note) }
        return images
    }
}
