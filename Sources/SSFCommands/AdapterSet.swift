import Foundation
import SSFCheckpoints
import SSFGraph
import SSFKernels
import SSFTensors
import SSFTuning

/// The models that a command runs side by side: one checkpoint, one adapter, or several adapters over one backbone, whose
/// frozen weights are then in memory once.
struct AdapterSet {
    struct Member {
        /// The path as the command line has it, or a part of a folder that it names.
        let label: String
        let opened: OpenedModel
        /// Whether the command line names the folder in which it was found, and not the adapter itself.
        let wasFound: Bool
    }

    let members: [Member]
    /// Nil where there is one model, which has its weights for itself.
    let weights: SharedWeights?

    /// Whether answers must say whose they are.
    var hasSeveral: Bool { members.count > 1 }

    /// Opens what a command names.
    ///
    /// - Parameters:
    ///   - model: path of a checkpoint; with adapters, of their base, where that is not where it was.
    ///   - adapters: adapter folders, run folders, whose best adapters are meant, or folders of either.
    /// - Throws: `UserError` as `OpenedModel.open`, and where one of several adapters has another base than the others.
    static func open(
        model: String?, adapters: [String], stated: PartialPreprocessing, precision: Precision
    ) throws -> AdapterSet {
        let found = try adapters.flatMap(Self.adapters)
        guard found.count > 1 else {
            let opened = try OpenedModel.open(
                model: model, adapter: found.first?.path, stated: stated, precision: precision)
            return AdapterSet(
                members: [Member(label: found.first?.label ?? opened.name, opened: opened, wasFound: false)],
                weights: nil)
        }
        let backbone = Backbone()
        let members = try found.map { label, path, wasFound in
            Member(
                label: label,
                opened: try OpenedModel.open(
                    adapterOrRun: path, base: model, stated: stated, precision: precision, backbone: backbone),
                wasFound: wasFound)
        }
        return AdapterSet(members: members, weights: backbone.weights)
    }

    /// The adapters that a path means: itself, the best of a run, or those in the folders within.
    private static func adapters(at path: String) throws -> [(label: String, path: String, wasFound: Bool)] {
        if AdapterFolder.isAdapter(RunFolder.adapter("best", of: path)) { return [(path, path, false)] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
        let found = names.filter { !$0.hasPrefix(".") }.sorted().map { folder + "/" + $0 }
            .filter { AdapterFolder.isAdapter(RunFolder.adapter("best", of: $0)) }
        // Where there is none, opening the path says what is wrong with it.
        return found.isEmpty ? [(path, path, false)] : found.map { ($0, $0, true) }
    }

    /// Positions of the members, those together that take the same images.
    func groups(of positions: some Collection<Int>) -> [[Int]] {
        var groups: [[Int]] = []
        for position in positions {
            let preprocessing = members[position].opened.preprocessing
            if let group = groups.firstIndex(where: { members[$0[0]].opened.preprocessing == preprocessing }) {
                groups[group].append(position)
            } else {
                groups.append([position])
            }
        }
        return groups
    }

    /// For people: what is held once, and what each adapter adds. Right once the models have run.
    var summary: String? {
        guard let weights else { return nil }
        let own = members.map { 4 * $0.opened.model.parameters.layout.count }
        return "backbone \(members[0].opened.base.name): \(Formatting.bytes(weights.byteCount)) of weights, once for "
            + "\(members.count) adapters, which add \(Formatting.bytes(own.reduce(0, +)))"
    }
}

/// A base model under several adapters: opened and checked once, its weights packed once.
final class Backbone {
    let weights = SharedWeights()
    /// That of the first adapter, which the others must have too.
    private var opened: (base: BaseModel, checksum: String, adapter: String)?

    /// The base of an adapter.
    ///
    /// - Parameter load: opens the base of the first one.
    /// - Throws: `UserError` where the adapter was tuned on other weights than the first.
    func base(of folder: AdapterFolder, at path: String, load: () throws -> Checkpoint) throws -> BaseModel {
        if let opened {
            guard folder.configuration.baseModelChecksum == opened.checksum else {
                throw UserError(
                    "\(path) was tuned on another backbone than \(opened.adapter)",
                    expected: "\(opened.checksum) (\(opened.base.path))",
                    found: "\(folder.configuration.baseModelChecksum) (\(folder.configuration.baseModelPath))",
                    remedy: "run it by itself: adapters that run together share one backbone")
            }
            return opened.base
        }
        let base = BaseModel.checkpoint(try load())
        let checksum = base.checksum
        if let mismatch = folder.mismatch(baseChecksum: checksum, basePath: base.path) { throw mismatch }
        opened = (base, checksum, path)
        return base
    }
}
