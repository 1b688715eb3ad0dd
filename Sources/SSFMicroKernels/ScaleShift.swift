/// y = scale * x + shift in every row; absent vectors stand for ones and zeros.
public func scaleShiftForward(
    rows: Int, channels: Int, x: UnsafePointer<Float>, scale: UnsafePointer<Float>?, shift: UnsafePointer<Float>?,
    y: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        let x = x + row * channels
        let y = y + row * channels
        var i = 0
        while i + laneCount <= channels {
            scaleAndShift(i, x, scale, shift, y, part: 0)
            i += laneCount
        }
        if i < channels { scaleAndShift(i, x, scale, shift, y, part: channels - i) }
    }
}

@inline(always)
private func scaleAndShift(
    _ i: Int, _ x: UnsafePointer<Float>, _ scale: UnsafePointer<Float>?, _ shift: UnsafePointer<Float>?,
    _ y: UnsafeMutablePointer<Float>, part: Int
) {
    var value = load(x + i, part: part)
    if let scale, let shift {
        value = multiplyAdd(value, load(scale + i, part: part), load(shift + i, part: part))
    } else if let scale {
        value *= load(scale + i, part: part)
    } else if let shift {
        value += load(shift + i, part: part)
    }
    store(value, y + i, part: part)
}

/// dx (+)= dy * scale; scaleSums += dy * x and shiftSums += dy, row by row.
///
/// - Parameters:
///   - x: needed for `scaleSums` only.
///   - dx: absent where nobody needs it; may be `dy`.
public func scaleShiftBackward(
    rows: Int, channels: Int, dy: UnsafePointer<Float>, x: UnsafePointer<Float>?, scale: UnsafePointer<Float>?,
    dx: UnsafeMutablePointer<Float>?, accumulate: Bool, scaleSums: UnsafeMutablePointer<Float>?,
    shiftSums: UnsafeMutablePointer<Float>?
) {
    for row in 0..<rows {
        let offset = row * channels
        var i = 0
        while i + laneCount <= channels {
            scaleShiftGradients(i, offset, dy, x, scale, dx, accumulate, scaleSums, shiftSums, part: 0)
            i += laneCount
        }
        if i < channels {
            scaleShiftGradients(i, offset, dy, x, scale, dx, accumulate, scaleSums, shiftSums, part: channels - i)
        }
    }
}

@inline(always)
private func scaleShiftGradients(
    _ i: Int, _ offset: Int, _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>?, _ scale: UnsafePointer<Float>?,
    _ dx: UnsafeMutablePointer<Float>?, _ accumulate: Bool, _ scaleSums: UnsafeMutablePointer<Float>?,
    _ shiftSums: UnsafeMutablePointer<Float>?, part: Int
) {
    let gradient = load(dy + offset + i, part: part)
    if let scaleSums, let x {
        let sums = load(scaleSums + i, part: part)
        store(multiplyAdd(gradient, load(x + offset + i, part: part), sums), scaleSums + i, part: part)
    }
    if let shiftSums { store(load(shiftSums + i, part: part) + gradient, shiftSums + i, part: part) }
    if let dx {
        var value = gradient
        if let scale { value *= load(scale + i, part: part) }
        if accumulate { value += load(dx + offset + i, part: part) }
        store(value, dx + offset + i, part: part)
    }
}
