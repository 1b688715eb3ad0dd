import SSFTensors

/// Tensors on their way to timm's names.
struct KeyTranslation {
    var tensors: [String: Tensor]
    /// What was changed, in sentences to be shown.
    private var changes: [String] = []
    /// The names without a place in timm's model, by the reason why they may go.
    private var leftOut: [(reason: String, names: [String])] = []

    init(tensors: [String: Tensor] = [:]) {
        self.tensors = tensors
    }

    mutating func leaveOut(_ name: String, because reason: String) {
        if let index = leftOut.firstIndex(where: { $0.reason == reason }) {
            leftOut[index].names.append(name)
        } else {
            leftOut.append((reason, [name]))
        }
    }

    /// What is to be shown to the user; one sentence for all names that go for one reason, a decoder's hundred too.
    var notes: [String] {
        changes
            + leftOut.map { reason, names in
                let names = names.sorted()
                if names.count == 1 { return "\(names[0]) is left out: \(reason)" }
                let list = names.count > 3 ? "\(names[0]) and \(names.count - 1) more" : names.joined(separator: ", ")
                return "\(list) are left out: \(reason)"
            }
    }

    /// Adds the class token's row of the position embedding to the class token and takes it out of the embedding, as
    /// timm does for DINOv2 with registers, whose registers have no positions. The sum is f32.
    mutating func foldClassPosition() {
        guard let token = tensors["cls_token"], let position = tensors["pos_embed"], position.shape.rank == 3,
            position.shape[0] == 1, position.shape[1] > 0, token.count == position.shape[2],
            token.dtype.isFloatingPoint, position.dtype.isFloatingPoint
        else { return }
        let rows = position.reshaped([position.shape[1], position.shape[2]])
        let sum = zip(token.values, rows.rows(0..<1).values).map { $0 + $1 }
        tensors["cls_token"] = Tensor(sum, shape: token.shape)
        tensors["pos_embed"] = rows.rows(1..<rows.shape[0]).reshaped([1, rows.shape[0] - 1, rows.shape[1]])
        changes.append("the class token's position embedding is added to the class token")
    }
}

extension DType {
    var isFloatingPoint: Bool {
        switch self {
        case .f64, .f32, .f16, .bf16: true
        default: false
        }
    }
}

/// The tensors one below the other, in memory of its own.
///
/// - Returns: `nil` where their types or their sizes after the first axis differ.
func concatenatedRows(_ parts: [Tensor]) -> Tensor? {
    guard let first = parts.first, first.shape.rank > 0,
        parts.allSatisfy({
            $0.dtype == first.dtype && $0.shape.rank == first.shape.rank
                && $0.shape.dimensions.dropFirst() == first.shape.dimensions.dropFirst()
        })
    else { return nil }
    let rows = parts.reduce(0) { $0 + $1.shape[0] }
    let result = Tensor(zeros: Shape([rows] + first.shape.dimensions.dropFirst()), dtype: first.dtype)
    var offset = 0
    for part in parts {
        (result.rawPointer + offset).copyMemory(from: part.rawPointer, byteCount: part.byteCount)
        offset += part.byteCount
    }
    return result
}
