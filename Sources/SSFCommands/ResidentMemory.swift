import Foundation
import SSFCheckpoints
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

    /// The most that was ever resident, in bytes: `ru_maxrss`.
    static var peak: Int {
        var usage = rusage()
        // RUSAGE_SELF, whose type differs from library to library.
        getrusage(0, &usage)
        return Int(usage.ru_maxrss) * 1024
    }

    /// The parts that a run finds when it begins: the program itself, the mapped file of the base model, every byte of
    /// which is read for its checksum, and the frozen weights that are no view of that file.
    ///
    /// - Parameter program: what was resident before a model was opened.
    static func parts(program: Int, base: BaseModel, model: TunedModel) -> [MemoryEstimate.Part] {
        var mapped = 0
        var files: Set<ObjectIdentifier> = []
        if case .checkpoint(let checkpoint) = base {
            for tensor in checkpoint.tensors.values {
                mapped += tensor.byteCount
                files.insert(ObjectIdentifier(tensor.storage))
            }
        }
        var copied = 0
        for specification in model.parameters.specifications where !specification.isTrainable {
            let tensor = model.parameters.tensor(named: specification.name)!
            if !files.contains(ObjectIdentifier(tensor.storage)) { copied += tensor.byteCount }
        }
        return [
            MemoryEstimate.Part("program and libraries", bytes: program),
            MemoryEstimate.Part("checkpoint, mapped", bytes: mapped),
            MemoryEstimate.Part("weights in memory", bytes: copied),
        ]
    }
}
