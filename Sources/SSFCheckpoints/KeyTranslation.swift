import SSFTensors

/// Tensors on their way to timm's names.
struct KeyTranslation {
    var tensors: [String: Tensor]
    /// What is to be shown to the user.
    var notes: [String]

    mutating func leaveOut(_ name: String, because reason: String) {
        notes.append("\(name) is left out: \(reason)")
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
        notes.append("the class token's position embedding is added to the class token")
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
