import Foundation
import SSFAnalysis
import SSFCheckpoints
import SSFCommands
import SSFImages
import SSFTensors

/// Pictures and numbers of what models looked at, written image by image.
struct AttentionDrawing {
    /// Longer side of a picture of the grid, in pixels.
    private static let thumbnailSide = 360

    let options: Attention
    let models: [Model]
    let images: AnalysisImages
    let folder: OutputFolder
    /// Width and height of each image that was drawn.
    private var sizes: [(width: Int, height: Int)] = []

    /// A model that has looked at all images.
    struct Model {
        let name: String
        let path: String
        /// From 0.
        let block: Int
        let preprocessing: Preprocessing
        /// One for each image.
        let looks: [AttentionRun.Look]
    }

    init(options: Attention, models: [Model], images: AnalysisImages, folder: OutputFolder) {
        (self.options, self.models, self.images, self.folder) = (options, models, images, folder)
    }

    /// Writes everything.
    ///
    /// - Returns: the names of the files but those of the cells.
    mutating func write(_ console: Console) throws -> [String] {
        let progress = AnalysisProgress(console, "pictures", of: images.count)
        var rows: [[AttentionGrid.Cell?]] = []
        for index in 0..<images.count {
            rows += try draw(index)
            progress.advance()
        }
        let grid = AttentionGrid(columns: columns, rows: rows, caption: caption)
        return try folder.write(
            grid.figure(), as: "attention", csv: csv(), json: try JSONText.of(report), as: "attention")
    }

    // MARK: - Pictures

    /// Writes the cells of an image, and returns the rows of the grid that show it.
    private mutating func draw(_ index: Int) throws -> [[AttentionGrid.Cell?]] {
        let image = try images.image(at: index)
        sizes.append((image.width, image.height))
        let thumbnail = Self.thumbnail(of: image)
        try folder.makeFolder(cellFolder(index))
        func cell(_ pixels: [UInt8], _ caption: String) -> AttentionGrid.Cell {
            AttentionGrid.Cell(width: thumbnail.width, height: thumbnail.height, pixels: pixels, caption: caption)
        }
        let name = images.label(at: index) ?? URL(fileURLWithPath: images.names[index]).lastPathComponent
        var rows: [[AttentionGrid.Cell?]] = []
        var row: [AttentionGrid.Cell?] = [cell(thumbnail.pixels, name)]
        for model in models.indices {
            let look = models[model].looks[index]
            let region = region(index, model)
            try folder.write(
                Tensor(
                    look.maps.flatMap { $0.values.map(Float.init) },
                    shape: [
                        look.maps.count, look.maps[0].rows, look.maps[0].columns,
                    ]), as: file(index, model, ".npy"))
            if isByHead { row = [cell(thumbnail.pixels, "\(models[model].name): \(answer(look) ?? name)")] }
            for (head, map) in look.maps.enumerated() {
                let range = map.range(above: options.saturate / 100)
                let picture = AttentionPicture(
                    map, region: region, interpolation: options.upsampling, range: range)
                let overlay = picture.overlay(on: image.pixels, width: image.width, height: image.height)
                let alone = picture.alone(width: image.width, height: image.height)
                let suffix = isByHead ? "-head\(head)" : ""
                for (pixels, kind) in [(overlay, ""), (alone, "-map")] {
                    try folder.write(
                        RGBImage(width: image.width, height: image.height, pixels: pixels),
                        as: file(index, model, "\(suffix)\(kind).png"))
                }
                let small = AttentionPicture(
                    map,
                    region: region.scaled(
                        across: Double(thumbnail.width) / Double(image.width),
                        down: Double(thumbnail.height) / Double(image.height)), interpolation: options.upsampling,
                    range: range)
                row.append(
                    cell(
                        small.overlay(on: thumbnail.pixels, width: thumbnail.width, height: thumbnail.height),
                        isByHead ? "" : answer(look) ?? ""))
            }
            if isByHead { rows.append(row + [AttentionGrid.Cell?](repeating: nil, count: columns.count - row.count)) }
        }
        return isByHead ? rows : [row]
    }

    private static func thumbnail(of image: RGBImage) -> RGBImage {
        let side = max(image.width, image.height)
        guard side > thumbnailSide else { return image }
        func scaled(_ length: Int) -> Int { max(1, (length * thumbnailSide + side / 2) / side) }
        let (width, height) = (scaled(image.width), scaled(image.height))
        return RGBImage(width: width, height: height) { target in
            image.withView {
                Resampler().resize($0, width: width, height: height, filter: .bilinear, into: target)
            }
        }
    }

    /// `✓ shirt 93 %`; nil where the model has no classifier.
    private func answer(_ look: AttentionRun.Look) -> String? {
        look.prediction.map { prediction in
            // `tabby, tabby cat` is a tabby.
            let name = prediction.text.split(separator: ",").first.map(String.init) ?? prediction.text
            let mark = look.isRight.map { $0 ? "\u{2713} " : "\u{2717} " } ?? ""
            return "\(mark)\(name) \(Formatting.percent(prediction.probability, 0)) %"
        }
    }

    /// Whether every head has a map of its own.
    private var isByHead: Bool { options.heads == .each }

    private var columns: [String] {
        guard isByHead else { return ["image"] + models.map(\.name) }
        return ["image"] + (0..<(models.compactMap { $0.looks.first?.maps.count }.max() ?? 0)).map { "head \($0)" }
    }

    private var caption: String {
        let block = Set(models.map(\.block)).count == 1 ? "block \(models[0].block)" : "the last block"
        let what =
            switch (options.method, options.heads) {
            case (.rollout, _): "Attention rollout to the class token, up to \(block)"
            case (_, .mean): "Attention of the class token in \(block), mean of the heads"
            case (_, .each): "Attention of the class token in \(block)"
            case (_, .one(let head)): "Attention of the class token in \(block), head \(head)"
            }
        let isKnown = models.contains { $0.looks.contains { $0.isRight != nil } }
        let isCut = models.indices.contains { model in
            sizes.indices.contains { image in
                let region = region(image, model)
                return region.x > 0.5 || region.y > 0.5
            }
        }
        return what + ". From dark blue to yellow: from the least to the greatest value of each map."
            + (options.saturate > 0
                ? " The \(Formatting.significant(options.saturate)) % of the patches with most share the last colour."
                : "")
            + (isCut ? " Dark: not shown to the model." : "")
            + (isKnown ? " \u{2713} right, \u{2717} wrong." : "")
    }

    /// The part of an image that a model was shown.
    private func region(_ image: Int, _ model: Int) -> ImageRegion {
        let part = models[model].preprocessing.visiblePart(ofWidth: sizes[image].width, height: sizes[image].height)
        return ImageRegion(x: part.x, y: part.y, width: part.width, height: part.height)
    }

    // MARK: - Files

    private func cellFolder(_ index: Int) -> String {
        let stem = URL(fileURLWithPath: images.names[index]).deletingPathExtension().lastPathComponent
        let safe = stem.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "_" }
        let digits = String(images.count).count
        let number = String(index + 1)
        return "cells/" + String(repeating: "0", count: digits - number.count) + number + "-" + String(safe.prefix(60))
    }

    private func file(_ index: Int, _ model: Int, _ ending: String) -> String {
        "\(cellFolder(index))/\(models[model].name)\(ending)"
    }

    // MARK: - Numbers

    private var report: AttentionReport {
        AttentionReport(
            settings: AttentionReport.Settings(
                program: "ssf-analyze \(ProgramVersion.text)", method: options.method.rawValue,
                heads: options.heads.description, interpolation: options.upsampling,
                saturate: options.saturate, split: images.isLabelled ? images.dataset.name : nil,
                data: images.location, limit: options.data.limit, seed: options.data.seed,
                precision: options.runtime.precision ?? "f32"),
            models: models.map { model in
                AttentionReport.Model(
                    name: model.name, path: model.path, block: model.block, rows: model.looks[0].maps[0].rows,
                    columns: model.looks[0].maps[0].columns)
            },
            entries: images.names.indices.flatMap { image in
                models.indices.map { entry(image, $0) }
            })
    }

    private func entry(_ image: Int, _ model: Int) -> AttentionReport.Entry {
        let look = models[model].looks[image]
        return AttentionReport.Entry(
            image: images.names[image], model: models[model].name, predicted: look.prediction?.label,
            probability: look.prediction?.probability, label: images.label(at: image), isRight: look.isRight,
            region: region(image, model), onPatches: look.maps.map(\.total), maps: file(image, model, ".npy"))
    }

    private func csv() -> String {
        let heading = "image,model,label,predicted,probability,right,attention_on_patches,x,y,width,height,maps"
        let rows = report.entries.map { entry -> String in
            let parts = entry.onPatches.map { String(format: "%.6f", $0) }.joined(separator: " ")
            let region = [entry.region.x, entry.region.y, entry.region.width, entry.region.height]
            let probability = entry.probability.map { String(format: "%.6f", $0) } ?? ""
            var fields = [entry.image, entry.model, entry.label ?? "", entry.predicted ?? "", probability]
            fields += [entry.isRight.map { String($0) } ?? "", parts]
            return CSV.row(fields + region.map { String(format: "%g", $0) } + [entry.maps])
        }
        return ([heading] + rows).joined(separator: "\n") + "\n"
    }

    /// What is printed.
    var lines: [String] {
        var table = TextTable(["image", "class", "model", "predicted", "%", "", "on patches %"])
        for entry in report.entries {
            table.add([
                URL(fileURLWithPath: entry.image).lastPathComponent, entry.label ?? "-", entry.model,
                entry.predicted ?? "-", entry.probability.map { Formatting.percent($0) } ?? "-",
                entry.isRight.map { $0 ? "right" : "wrong" } ?? "",
                Formatting.percent(entry.onPatches.reduce(0, +) / Double(entry.onPatches.count)),
            ])
        }
        return table.lines(indent: 0)
    }
}
