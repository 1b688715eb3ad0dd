import Foundation
import SSFTensors

extension Checkpoint {
    /// Reads a model: a `.safetensors` file, or a folder with weights and configuration as timm (`local-dir`) or
    /// Hugging Face's transformers write it, in one file or in several with an index.
    ///
    /// A file that is called `model.safetensors`, or has no other of its kind beside it, belongs to the `config.json`
    /// there; `local-dir:` before a path, as timm asks for, changes nothing. Weights are mapped, not read.
    ///
    /// - Throws: A `UserError` that names the file: nothing there (with the command that downloads it, where the path
    ///   looks like a name on the Hugging Face hub), a format that is not read here (with the command that converts
    ///   it), a damaged file, a configuration that states the impossible.
    public static func load(_ path: String) throws -> Checkpoint {
        let timmScheme = "local-dir:"
        if path.hasPrefix(timmScheme) { return try load(String(path.dropFirst(timmScheme.count))) }
        switch PathKind(path) {
        case .folder: return try loadFolder(path, shownAs: path)
        case .file:
            if isAllOfItsFolder(path) { return try loadFolder(split(path).folder, shownAs: path) }
            if let error = ForeignFormat.refusal(of: path) { throw error }
            return try assemble(try weights(of: path), configuration: nil, path: path)
        case .other: throw UserError("\(path): this is neither a file nor a folder")
        case .absent: throw HubName.missing(path)
        }
    }

    private static let shardIndex = "model.safetensors.index.json"

    private static func weights(of file: String) throws -> Safetensors.Contents { try Safetensors.read(file) }

    /// Whether a file is what `loadFolder` would take from its folder.
    private static func isAllOfItsFolder(_ path: String) -> Bool {
        let (folder, name) = split(path)
        if name == "model.safetensors" || name == shardIndex { return true }
        guard name.hasSuffix(".safetensors"), PathKind(join(folder, "config.json")) == .file else { return false }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return !names.contains(shardIndex) && names.filter { $0.hasSuffix(".safetensors") } == [name]
    }

    private static func loadFolder(_ folder: String, shownAs path: String) throws -> Checkpoint {
        let contents = try weightsInFolder(folder)
        let configFile = join(folder, "config.json")
        guard PathKind(configFile) == .file else {
            return try assemble(contents, configuration: nil, path: path)
        }
        return try assemble(contents, configuration: (configFile, try JSONFile.object(configFile)), path: path)
    }

    /// Finds the weights of a folder.
    private static func weightsInFolder(_ folder: String) throws -> Safetensors.Contents {
        let whole = join(folder, "model.safetensors")
        if PathKind(whole) == .file { return try weights(of: whole) }
        let index = join(folder, shardIndex)
        if PathKind(index) == .file { return try weightsInShards(index, folder: folder) }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        if names.contains(AdapterFolder.tensorsName) {
            throw UserError(
                "\(folder): this is an adapter folder, not a model", expected: "model.safetensors",
                found: AdapterFolder.tensorsName,
                remedy: "pass it as --adapter, or merge it first: ssf merge --adapter \(folder) --output MERGED")
        }
        let candidates = names.filter { $0.hasSuffix(".safetensors") }
        if candidates.count == 1 { return try weights(of: join(folder, candidates[0])) }
        if candidates.count > 1 {
            throw UserError(
                "\(folder): which of the weights files is meant is not clear", expected: "model.safetensors",
                found: candidates.joined(separator: ", "), remedy: "name one file")
        }
        if let foreign = names.first(where: { ForeignFormat.refusal(of: $0) != nil }) {
            throw ForeignFormat.refusal(of: join(folder, foreign))!
        }
        throw UserError(
            "\(folder): there are no weights in this folder", expected: "model.safetensors",
            found: names.isEmpty ? "an empty folder" : names.prefix(8).joined(separator: ", "))
    }

    private struct ShardIndex: Decodable {
        var weight_map: [String: String]
    }

    /// Large models come in several files, with an index from tensor to file.
    private static func weightsInShards(_ index: String, folder: String) throws -> Safetensors.Contents {
        let map = try JSONFile.decode(ShardIndex.self, from: index).weight_map
        var result = Safetensors.Contents(tensors: [:])
        for file in Set(map.values).sorted() {
            guard !file.contains("/"), file.hasSuffix(".safetensors") else {
                throw UserError(
                    "\(index): weight_map", expected: "names of .safetensors files in the same folder", found: file)
            }
            let shard = try weights(of: join(folder, file))
            result.metadata.merge(shard.metadata) { first, _ in first }
            for (name, tensor) in shard.tensors where map[name] == file { result.tensors[name] = tensor }
        }
        if let missing = map.keys.filter({ result.tensors[$0] == nil }).min() {
            throw UserError(
                "\(join(folder, map[missing]!)): the tensor \(missing) is not in the file that \(index) names")
        }
        return result
    }

    /// Translates names and configuration to timm's.
    private static func assemble(
        _ contents: Safetensors.Contents, configuration source: (file: String, object: [String: JSONValue])?,
        path: String
    ) throws -> Checkpoint {
        var configuration = ModelConfiguration()
        var type: HuggingFaceConfiguration.ModelType?
        if let (file, object) = source {
            if TimmConfiguration.recognises(object) {
                configuration = try TimmConfiguration.read(object, file: file)
            } else {
                configuration = try HuggingFaceConfiguration.read(object, file: file)
                type = try HuggingFaceConfiguration.modelType(object, file: file)
                let preprocessor = join(split(file).folder, "preprocessor_config.json")
                if PathKind(preprocessor) == .file {
                    configuration.statedPreprocessing = try HuggingFaceConfiguration.preprocessing(
                        try JSONFile.object(preprocessor), file: preprocessor)
                    configuration.sources.append(preprocessor)
                }
            }
        } else if HuggingFaceKeys.recognises(contents.tensors) {
            type = HuggingFaceKeys.modelType(contents.tensors)
            configuration.family = type?.family
        }

        let translation: KeyTranslation
        if let type {
            translation = try huggingFace(contents.tensors, type: type, configuration: &configuration, path: path)
        } else {
            translation = TimmKeys.translate(contents.tensors, configuration: &configuration)
        }
        var notes = translation.notes
        if source == nil {
            notes.append(
                "\(path): no config.json belongs to these weights: only what the tensors show is known of the model")
        }
        return Checkpoint(
            tensors: translation.tensors, configuration: configuration, path: path, metadata: contents.metadata,
            notes: notes)
    }

    private static func huggingFace(
        _ tensors: [String: Tensor], type: HuggingFaceConfiguration.ModelType,
        configuration: inout ModelConfiguration, path: String
    ) throws -> KeyTranslation {
        var translation = try HuggingFaceKeys.map(type).translate(tensors, path: path)
        if type == .dinov2WithRegisters {
            translation.foldClassPosition()
            configuration.noEmbedClass = true
        }
        // The labels of a configuration speak of a classifier that need not be in the file.
        if translation.tensors["head.weight"] == nil {
            configuration.numClasses = 0
            configuration.labelNames = nil
        }
        return translation
    }
}
