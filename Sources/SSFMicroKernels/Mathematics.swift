/// y = exp(x), element by element.
public func exponential(count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) {
    var i = 0
    while i + laneCount <= count {
        store(exponential(load(x + i)), y + i)
        i += laneCount
    }
    if i < count { store(exponential(load(x + i, first: count - i)), y + i, first: count - i) }
}

/// y = erf(x), element by element.
public func errorFunction(count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) {
    var i = 0
    while i + laneCount <= count {
        store(errorFunction(load(x + i)), y + i)
        i += laneCount
    }
    if i < count { store(errorFunction(load(x + i, first: count - i)), y + i, first: count - i) }
}
