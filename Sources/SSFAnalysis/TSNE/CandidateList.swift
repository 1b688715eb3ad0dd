import SSFKernels

/// What may be among the nearest neighbours of a row: lower bounds of distances with the numbers they belong to.
final class CandidateList {
    /// A candidate whose distance is known.
    struct Measured {
        var distance: Double
        var index: Int32
    }

    /// How many are wanted at least.
    private let wanted: Int
    /// At most so many come at a time.
    private let appended: Int
    private var capacity: Int
    private var limit: Int
    private var bounds: UnsafeMutablePointer<Float>
    private var indices: UnsafeMutablePointer<Int32>
    private var upper: UnsafeMutablePointer<Float>
    private(set) var count = 0
    /// Bounds from here on are of no interest.
    private var threshold = Float.infinity
    /// After `measure`: nearest first.
    private(set) var measured: [Measured] = []

    init(wanted: Int, appended: Int) {
        (self.wanted, self.appended) = (wanted, appended)
        limit = 2 * wanted + 256
        capacity = limit + appended
        bounds = .allocate(capacity: capacity)
        indices = .allocate(capacity: capacity)
        upper = .allocate(capacity: capacity)
    }

    deinit {
        bounds.deallocate()
        indices.deallocate()
        upper.deallocate()
    }

    func removeAll() {
        count = 0
        threshold = .infinity
    }

    /// Whether it has to be tightened before more are appended.
    var isFull: Bool { count > limit }

    func append(count more: Int, bounds values: UnsafePointer<Float>, firstIndex: Int, table: KernelTable) {
        count += Candidates.appendBelow(
            count: more, values: values, threshold: threshold, firstIndex: firstIndex, kept: bounds + count,
            keptIndices: indices + count, table: table)
    }

    /// Removes those whose lower bound is above the `wanted`-th smallest upper bound: they cannot be among the wanted.
    func tighten(upperBound: (Float, Int32) -> Float) {
        guard count > wanted else { return }
        for i in 0..<count { upper[i] = upperBound(bounds[i], indices[i]) }
        let border = Selection.smallest(number: wanted - 1, of: upper, count: count)
        threshold = min(threshold, border.nextUp)
        var kept = 0
        for i in 0..<count where bounds[i] < threshold {
            bounds[kept] = bounds[i]
            indices[kept] = indices[i]
            kept += 1
        }
        count = kept
        // Where very many are equally near, the list grows instead of being sifted in vain.
        if 2 * count > limit {
            limit = 4 * count
            grow(to: limit + appended)
        }
    }

    /// Measures what is left and sorts it.
    func measure(excluding own: Int32, distance: (Int32) -> Double) {
        measured.removeAll(keepingCapacity: true)
        for i in 0..<count where indices[i] != own {
            measured.append(Measured(distance: distance(indices[i]), index: indices[i]))
        }
        measured.sort { $0.distance < $1.distance || $0.distance == $1.distance && $0.index < $1.index }
    }

    private func grow(to newCapacity: Int) {
        guard newCapacity > capacity else { return }
        func moved<T>(_ old: UnsafeMutablePointer<T>) -> UnsafeMutablePointer<T> {
            let new = UnsafeMutablePointer<T>.allocate(capacity: newCapacity)
            new.update(from: old, count: count)
            old.deallocate()
            return new
        }
        bounds = moved(bounds)
        indices = moved(indices)
        upper = moved(upper)
        capacity = newCapacity
    }
}

/// Order statistics without sorting.
enum Selection {
    /// The number that would stand at a place of the sorted numbers (Hoare 1961); reorders them.
    ///
    /// - Precondition: 0 <= number < count, and none is NaN.
    static func smallest(number: Int, of values: UnsafeMutablePointer<Float>, count: Int) -> Float {
        var low = 0
        var high = count - 1
        while low < high {
            let a = values[low]
            let b = values[(low + high) / 2]
            let c = values[high]
            let pivot = max(min(a, b), min(max(a, b), c))
            var i = low
            var j = high
            while i <= j {
                while values[i] < pivot { i += 1 }
                while values[j] > pivot { j -= 1 }
                if i <= j {
                    (values[i], values[j]) = (values[j], values[i])
                    i += 1
                    j -= 1
                }
            }
            if number <= j {
                high = j
            } else if number >= i {
                low = i
            } else {
                return values[number]
            }
        }
        return values[number]
    }
}
