/// sums[channel] += the sum of the rows, in their order, in one register per vector of channels.
public func columnSum(
    rows: Int, channels: Int, x: UnsafePointer<Float>, rowStride: Int, sums: UnsafeMutablePointer<Float>
) {
    var i = 0
    while i + 4 * laneCount <= channels {
        var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var address = x + i
        for _ in 0..<rows {
            a += load(address)
            b += load(address + laneCount)
            c += load(address + 2 * laneCount)
            d += load(address + 3 * laneCount)
            address += rowStride
        }
        store(load(sums + i, part: 0) + a, sums + i)
        store(load(sums + i + laneCount, part: 0) + b, sums + i + laneCount)
        store(load(sums + i + 2 * laneCount, part: 0) + c, sums + i + 2 * laneCount)
        store(load(sums + i + 3 * laneCount, part: 0) + d, sums + i + 3 * laneCount)
        i += 4 * laneCount
    }
    while i + laneCount <= channels {
        sumColumns(rows, x + i, rowStride, sums + i, part: 0)
        i += laneCount
    }
    if i < channels { sumColumns(rows, x + i, rowStride, sums + i, part: channels - i) }
}

@inline(always)
private func sumColumns(
    _ rows: Int, _ x: UnsafePointer<Float>, _ rowStride: Int, _ sums: UnsafeMutablePointer<Float>, part: Int
) {
    var total = Lanes.zero
    for row in 0..<rows {
        total += load(x + row * rowStride, part: part)
    }
    store(load(sums, part: part) + total, sums, part: part)
}
