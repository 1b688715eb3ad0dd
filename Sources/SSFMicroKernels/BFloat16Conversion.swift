// Between single precision and bfloat16 in memory.

/// `halves = floats`, rounded to nearest even.
package func roundToHalves(count: Int, floats: UnsafePointer<Float>, halves: UnsafeMutablePointer<UInt16>) {
    var i = 0
    while i + laneCount <= count {
        store(load(floats + i), halves + i)
        i += laneCount
    }
    while i < count {
        halves[i] = roundedToHalf(floats[i])
        i += 1
    }
}

/// `floats = halves`, which is exact.
package func widenHalves(count: Int, halves: UnsafePointer<UInt16>, floats: UnsafeMutablePointer<Float>) {
    var i = 0
    while i + laneCount <= count {
        store(load(halves + i), floats + i)
        i += laneCount
    }
    while i < count {
        floats[i] = widened(halves[i])
        i += 1
    }
}
