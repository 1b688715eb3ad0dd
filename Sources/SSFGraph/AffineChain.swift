import SSFKernels
import SSFTensors

/// A run of per-channel scales and shifts, `x -> scale * x + shift`, that are applied as a single one.
///
/// Bias, SSF and layer scale behind one matrix multiplication, or a norm's own affine and SSF, compose to
///
///     y = S * x + T,   S = s_n ... s_1,   T = (...(t_1 * s_2 + t_2)...) * s_n + t_n
///
/// so that forward makes one pass whatever a method has inserted, and backward needs the two sums `dS = sum(dy * x)`
/// and `dT = sum(dy)` only: the gradients of every member follow from them, in vectors of the channel count.
struct AffineChain: Sendable {
    /// One member; indices into the operation's parameters, nil where it has no scale or no shift.
    struct Member: Sendable {
        var scale: Int?
        var shift: Int?
    }

    private(set) var members: [Member] = []

    /// Adds a member behind the others.
    mutating func append(scale: Int?, shift: Int?) {
        if scale != nil || shift != nil { members.append(Member(scale: scale, shift: shift)) }
    }

    /// The same chain where the parameters stand `offset` further on.
    func shifted(by offset: Int) -> AffineChain {
        var chain = AffineChain()
        for member in members {
            chain.append(scale: member.scale.map { $0 + offset }, shift: member.shift.map { $0 + offset })
        }
        return chain
    }

    var isEmpty: Bool { members.isEmpty }
    var hasScale: Bool { members.contains { $0.scale != nil } }
    var hasShift: Bool { members.contains { $0.shift != nil } }

    /// Whether the gradient of any scale is asked for, which takes the values before the chain.
    func needsScaleGradient(_ need: GradientNeed) -> Bool {
        // A scale before a frozen one still needs dS; a shift needs dT only.
        members.contains { $0.scale.map { need.parameters[$0] } ?? false }
    }

    /// Whether a scale is not trained: a layer scale, which may be as small as 1e-5.
    func hasFrozenScale(_ need: GradientNeed) -> Bool {
        members.contains { $0.scale.map { !need.parameters[$0] } ?? false }
    }

    /// Whether the gradient of any member is asked for.
    func needsGradient(_ need: GradientNeed) -> Bool {
        members.contains {
            ($0.scale.map { need.parameters[$0] } ?? false) || ($0.shift.map { need.parameters[$0] } ?? false)
        }
    }

    /// Writes S and T, [channels] each.
    func compose(
        channels: Int, parameters: [UnsafeMutablePointer<Float>], scale: UnsafeMutablePointer<Float>,
        shift: UnsafeMutablePointer<Float>
    ) {
        for c in 0..<channels {
            scale[c] = 1
            shift[c] = 0
        }
        for member in members {
            if let index = member.scale {
                let s = parameters[index]
                for c in 0..<channels {
                    scale[c] *= s[c]
                    shift[c] *= s[c]
                }
            }
            if let index = member.shift {
                let t = parameters[index]
                for c in 0..<channels { shift[c] += t[c] }
            }
        }
    }

    /// Adds to the gradients of the members, from those of S and T.
    ///
    /// Walks the chain backwards: behind member i, y depends on (S_i, T_i) as on a pair of vectors, and
    /// `S_i = s_i S_(i-1)`, `T_i = s_i T_(i-1) + t_i`.
    ///
    /// - Parameters:
    ///   - scaleGradient, shiftGradient: dS and dT, [channels]; destroyed.
    ///   - scratch: 2 * channels * members floats for the intermediate S and T.
    func backward(
        channels: Int, parameters: [UnsafeMutablePointer<Float>], gradients: [UnsafeMutablePointer<Float>?],
        scaleGradient dS: UnsafeMutablePointer<Float>, shiftGradient dT: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        // S and T before member i, for every i.
        for i in members.indices {
            let scale = scratch + 2 * i * channels
            let shift = scale + channels
            guard i > 0 else {
                for c in 0..<channels {
                    scale[c] = 1
                    shift[c] = 0
                }
                continue
            }
            let previous = scale - 2 * channels
            let s = members[i - 1].scale.map { parameters[$0] }
            let t = members[i - 1].shift.map { parameters[$0] }
            for c in 0..<channels {
                let factor = s?[c] ?? 1
                scale[c] = previous[c] * factor
                shift[c] = previous[channels + c] * factor + (t?[c] ?? 0)
            }
        }
        for i in members.indices.reversed() {
            let scale = scratch + 2 * i * channels
            let shift = scale + channels
            if let index = members[i].shift, let gradient = gradients[index] {
                for c in 0..<channels { gradient[c] += dT[c] }
            }
            if let index = members[i].scale {
                let s = parameters[index]
                if let gradient = gradients[index] {
                    for c in 0..<channels { gradient[c] += dS[c] * scale[c] + dT[c] * shift[c] }
                }
                for c in 0..<channels {
                    dS[c] *= s[c]
                    dT[c] *= s[c]
                }
            }
        }
    }

    /// Floats of scratch that `backward` takes.
    func scratchCount(channels: Int) -> Int { 2 * channels * members.count }
}
