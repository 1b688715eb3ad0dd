import SSFKernels
import SSFTensors

/// What the parameter stores of several models hold in common: packed frozen weights, the memory in which programs for
/// inference run, and the scratch of the kernels.
///
/// Models that were attached to the tensors of one checkpoint find each other's packed weights here, so that a further one
/// costs what it trains and no more. Of the executors whose stores share one, one runs at a time, and what an executor for
/// inference has computed lasts until another one runs.
public final class SharedWeights {
    private struct Key: Hashable {
        /// Where the tensor lies.
        var storage: ObjectIdentifier
        var byteOffset: Int
        /// How it is laid out there.
        var layout: String
    }

    let workspace = Workspace()
    private var packed: [Key: PackedMatrix] = [:]
    private var converted: [Key: Tensor] = [:]
    /// Keeps the storages that keys name, so that no other takes the identity of one.
    private var storages: [ObjectIdentifier: Storage] = [:]
    private var slab: Storage?

    public init() {}

    /// Bytes of the weights that were packed or converted.
    public var byteCount: Int {
        packed.values.reduce(0) { $0 + $1.byteCount } + converted.values.reduce(0) { $0 + $1.byteCount }
    }

    /// Memory for a program of inference: the same for every executor it is large enough for.
    public func slab(byteCount: Int) -> Storage {
        if let slab, slab.byteCount >= byteCount { return slab }
        let made = Storage(byteCount: byteCount)
        slab = made
        return made
    }

    func packed(_ tensor: Tensor, layout: String, make: () -> PackedMatrix) -> PackedMatrix {
        let key = key(tensor, layout)
        if let found = packed[key] { return found }
        let made = make()
        packed[key] = made
        return made
    }

    /// A tensor in single precision, in memory of its own.
    func converted(_ tensor: Tensor) -> Tensor {
        let key = key(tensor, "\(tensor.shape)")
        if let found = converted[key] { return found }
        let made = tensor.converted(to: .f32)
        converted[key] = made
        return made
    }

    private func key(_ tensor: Tensor, _ layout: String) -> Key {
        let storage = ObjectIdentifier(tensor.storage)
        storages[storage] = tensor.storage
        return Key(storage: storage, byteOffset: tensor.byteOffset, layout: layout)
    }
}
