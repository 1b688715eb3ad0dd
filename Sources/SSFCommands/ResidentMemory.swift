import Foundation
import SSFCheckpoints
import SSFGraph
import SSFTensors
import SSFTraining
import SSFTuning

/// What this process holds in memory.
enum ResidentMemory {
    /// Bytes that are resident now: the program, its libraries and what it has touched. 0 where the system does not say.
    static var now: Int {
        // Files of /proc state no size: they must be read to the end, not to where they claim to end.
        guard let data = try? FileHandle(forReadingAtPath: "/proc/self/statm")?.readToEnd() else { return 0 }
        let fields = String(decoding: data, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// The parts that a run finds when it begins: the program itself, the mapped file of the base model, every byte of
    /// which is read for its checksum, and frozen numbers in memory of their own. Frozen weights of products leave the
    /// file's pages when they have been packed.
    ///
    /// - Parameter program: what was resident before a model was opened.
    /// - Throws: what recording the model throws.
    static func parts(program: Int, base: BaseModel, model: TunedModel) throws -> [MemoryEstimate.Part] {
        var given: [String: Tensor] = [:]
        if case .checkpoint(let checkpoint) = base { given = checkpoint.tensors }
        let recorded = try model.program(batch: 1, mode: .training)
        let packed = Set(
            recorded.operations.compactMap { operation in
                (operation as? LinearOperation).map { recorded.parameters[$0.wiring.parameters[0].index].name }
            })
        var mapped = given.values.reduce(0) { $0 + $1.byteCount }
        var copied = 0
        for specification in recorded.parameters where !specification.isTrainable {
            // A position embedding of another size is no longer that of the file.
            if let tensor = given[specification.name], tensor.count == specification.shape.count {
                if packed.contains(specification.name) {
                    mapped -= tensor.byteCount
                } else if tensor.dtype != .f32 {
                    copied += 4 * tensor.count
                }
            } else {
                copied += 4 * specification.shape.count
            }
        }
        return [
            MemoryEstimate.Part("program and libraries", bytes: program),
            MemoryEstimate.Part("checkpoint, mapped", bytes: mapped),
            MemoryEstimate.Part("frozen numbers in memory", bytes: copied),
        ]
    }
}
