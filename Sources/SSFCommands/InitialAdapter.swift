import SSFCheckpoints
import SSFTensors
import SSFTuning

/// `--init-from`: the adapter of another task, with which a run begins.
enum InitialAdapter {
    /// Loads it into a model that is to be trained.
    ///
    /// - Parameter path: an adapter folder, or a run's folder, whose best adapter is meant.
    /// - Returns: what was done about the classifier, as a note.
    /// - Throws: `UserError` when the adapter belongs to another base, method or form of the method.
    static func load(_ path: String, into model: TunedModel, base: BaseModel) throws -> String {
        let path = RunFolder.adapter("best", of: path)
        let folder = try AdapterFolder.read(path)
        if let mismatch = folder.mismatch(baseChecksum: base.checksum, basePath: base.path) { throw mismatch }
        try check(
            folder.configuration, is: model.tuning, path: path, remedy: "tune by the same method in the same form")
        return try model.begin(from: folder.tensors, labelNames: folder.configuration.labelNames)
    }

    /// Checks that an adapter was made by a method with the same settings.
    ///
    /// - Throws: `UserError` with both.
    static func check(
        _ adapter: AdapterConfiguration, is tuning: TuningConfiguration, path: String, remedy: String
    ) throws {
        guard adapter.tuningMode == tuning.method else {
            throw UserError(
                "\(path): the run tunes by another method", expected: "--method \(adapter.tuningMode)",
                found: "--method \(tuning.method)", remedy: remedy)
        }
        let earlier = try TuningRegistry.complete(TuningConfiguration(adapter)).options
        for key in Set(earlier.keys).union(tuning.options.keys).sorted() where earlier[key] != tuning.options[key] {
            throw UserError(
                "\(path): \(tuning.method) has another `\(key)`", expected: earlier[key]?.text ?? "none",
                found: tuning.options[key]?.text ?? "none", remedy: remedy)
        }
    }
}
