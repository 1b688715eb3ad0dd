import ArgumentParser
import Foundation
import SSFCheckpoints
import SSFKernels
import SSFTensors

/// The models of an analysis, each with a name: `--model ssf=runs/ssf --model full=runs/full`.
public struct ModelListOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .singleValue,
        help: ArgumentHelp(
            """
            A model, once for each: a checkpoint, a merged folder, an adapter folder or a run folder (its best \
            adapter). NAME is what it is called in figures and files (default: from the path).
            """, valueName: "name=path"))
    public var model: [String] = []

    @Option(
        help: ArgumentHelp("The pre-trained model of the adapters, where that is not where it was.", valueName: "path"))
    public var base: String?

    public init() {}

    /// What the command line says of the models: names and paths.
    ///
    /// - Throws: `UserError` for an empty list, an empty name or path, or a name that two models would have.
    package func named() throws -> [(name: String, path: String)] {
        guard !model.isEmpty else {
            throw UserError("--model is missing", expected: "NAME=PATH, once for each model")
        }
        var result: [(name: String, path: String)] = []
        for text in model {
            let (name, path) = Self.parts(of: text)
            guard !name.isEmpty, !path.isEmpty else {
                throw UserError("--model \(text) cannot be used", expected: "NAME=PATH or PATH")
            }
            guard !name.contains("/") else {
                throw UserError("--model \(text): a name cannot hold `/`", expected: "NAME=PATH", found: name)
            }
            if let other = result.first(where: { $0.name == name }) {
                throw UserError(
                    "two models are called \(name)", found: "\(other.path) and \(path)",
                    remedy: "give each a name of its own: --model NAME=\(path)")
            }
            result.append((name, path))
        }
        return result
    }

    /// A path that exists is a path, even with `=` in it.
    private static func parts(of text: String) -> (name: String, path: String) {
        guard !FileManager.default.fileExists(atPath: text), let equals = text.firstIndex(of: "=") else {
            return (defaultName(of: text), text)
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// The last part of the path; of an adapter in a run folder, the run's.
    private static func defaultName(of path: String) -> String {
        let parts = URL(fileURLWithPath: path).standardizedFileURL.pathComponents.filter { $0 != "/" }
        let own = parts.last ?? path
        let isPart = own == "best" || own == "last" || own.hasPrefix("checkpoint-")
        return isPart && parts.count > 1 ? parts[parts.count - 2] : own
    }

    /// Opens the models, in the order of the command line.
    ///
    /// - Parameters:
    ///   - preprocessing: options that win over what the models state.
    ///   - precision: of products with frozen weights.
    /// - Throws: `UserError` that names the model which cannot be used.
    package func open(preprocessing: PreprocessingOptions, precision: Precision) throws -> [AnalyzedModel] {
        try named().map { try open($0, preprocessing: preprocessing, precision: precision) }
    }

    /// Opens one of the models, as `open(preprocessing:precision:)` does.
    package func open(
        _ model: (name: String, path: String), preprocessing: PreprocessingOptions, precision: Precision
    ) throws -> AnalyzedModel {
        let stated = try PreprocessingResolution.stated(preprocessing)
        let opened: OpenedModel
        if AdapterFolder.isAdapter(RunFolder.adapter("best", of: model.path)) {
            opened = try .open(adapterOrRun: model.path, base: base, stated: stated, precision: precision)
        } else {
            opened = try .open(
                checkpoint: try Checkpoint.load(model.path), stated: stated, precision: precision,
                needsClassifier: false)
        }
        return AnalyzedModel(name: model.name, path: model.path, opened: opened)
    }
}
