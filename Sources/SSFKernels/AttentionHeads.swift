import CIntrinsics
import SSFParallel

/// What attention reads: shapes, and where the queries, keys and values of the first head begin.
package struct AttentionInputs {
    let batch, tokens, heads, headWidth: Int
    let scale: Float
    let q, k, v: MatrixPointer
    let rowStride: Int
    let affine: Attention.Affine?

    /// - Precondition: q, k and v are stored in the same precision.
    package init(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Float, q: MatrixPointer, k: MatrixPointer,
        v: MatrixPointer, rowStride: Int, affine: Attention.Affine? = nil
    ) {
        precondition(batch >= 0 && tokens >= 0 && heads >= 0 && headWidth > 0 && rowStride >= heads * headWidth)
        precondition(q.isHalf == k.isHalf && k.isHalf == v.isHalf, "q, k and v are stored in different precisions")
        self.batch = batch
        self.tokens = tokens
        self.heads = heads
        self.headWidth = headWidth
        self.scale = scale
        self.q = q
        self.k = k
        self.v = v
        self.rowStride = rowStride
        self.affine = affine
    }

    /// Whether there is anything to do.
    var hasWork: Bool { batch * heads * tokens > 0 }
}

/// The heads of a batch, of which each is a chunk, with the scratch memory of every thread.
struct AttentionHeads {
    let inputs: AttentionInputs
    let rounds: Bool
    let team: Int
    private let scratch: UnsafeMutablePointer<Float>
    private let scratchStride: Int

    /// - Parameter scratchCount: floats of one thread; rounded up to whole cache lines here.
    init(_ inputs: AttentionInputs, rounds: Bool, scratchCount: Int, workspace: Workspace) {
        self.inputs = inputs
        self.rounds = rounds
        team = Parallel.threads
        scratchStride = (scratchCount + 15) / 16 * 16
        scratch = workspace.reserve(bytes: team * scratchStride * MemoryLayout<Float>.stride)
            .bindMemory(to: Float.self, capacity: team * scratchStride)
    }

    func scratch(_ slot: Int) -> UnsafeMutablePointer<Float> { scratch + slot * scratchStride }

    /// The first element of a chunk, one batch entry and head, in an array whose rows are `stride` apart.
    func offset(_ chunk: Int, stride: Int) -> Int {
        chunk / inputs.heads * inputs.tokens * stride + chunk % inputs.heads * inputs.headWidth
    }

    /// Elements from a chunk to the one after it.
    func advance(_ chunk: Int, stride: Int) -> Int {
        offset(chunk + 1, stride: stride) - offset(chunk, stride: stride)
    }

    /// What the micro-kernels read of a chunk.
    func head(_ chunk: Int) -> ssf_attention_inputs {
        let x = inputs
        let first = offset(chunk, stride: x.rowStride)
        let q = chunk % x.heads * x.headWidth
        let k = q + x.heads * x.headWidth
        let v = k + x.heads * x.headWidth
        let (scale, shift) = (x.affine?.scale, x.affine?.shift)
        return ssf_attention_inputs(
            tokens: x.tokens, width: x.headWidth, scale: x.scale, q: x.q.advanced(by: first).base,
            k: x.k.advanced(by: first).base, v: x.v.advanced(by: first).base, isHalf: x.q.isHalf, rounds: rounds,
            rowStride: x.rowStride, next: advance(chunk, stride: x.rowStride), qScale: scale.map { $0 + q },
            qShift: shift.map { $0 + q }, kScale: scale.map { $0 + k }, kShift: shift.map { $0 + k },
            vScale: scale.map { $0 + v }, vShift: shift.map { $0 + v })
    }
}
