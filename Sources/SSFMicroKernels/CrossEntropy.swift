/// The loss -(sum over k of t[k] log softmax(logits)[k]) of every row, and its gradient times `gradientScale`.
///
/// The targets t come from `targets` [rows, classes], or else from `labels`: `smoothing / classes` on every class and
/// `1 - smoothing` more on the label.
public func crossEntropy(
    rows: Int, classes: Int, logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>?, smoothing: Float,
    targets: UnsafePointer<Float>?, gradientScale: Float, losses: UnsafeMutablePointer<Float>,
    dLogits: UnsafeMutablePointer<Float>?
) {
    for row in 0..<rows {
        let logits = logits + row * classes
        let greatest = maximumOfRow(classes, logits)
        var exponentials = dLogits
        if let dLogits { exponentials = dLogits + row * classes }
        let total = exponentialsOfRow(classes, logits, Lanes(repeating: greatest), exponentials)
        let logSum = logarithm(total)

        // The mass of the targets, and the sum of t[k] (logits[k] - greatest).
        var mass: Float = 1
        var weighted: Float = 0
        if let targets {
            let targets = targets + row * classes
            var (sums, products) = (Lanes.zero, Lanes.zero)
            var i = 0
            while i + laneCount <= classes {
                weighTargets(targets + i, logits + i, greatest, &sums, &products, part: 0)
                i += laneCount
            }
            if i < classes { weighTargets(targets + i, logits + i, greatest, &sums, &products, part: classes - i) }
            mass = sum(sums)
            weighted = sum(products)
        } else if let labels {
            let label = Int(labels[row])
            weighted = (1 - smoothing) * (logits[label] - greatest)
            if smoothing != 0 {
                weighted += smoothing / Float(classes) * sumOfDifferences(classes, logits, greatest)
            }
        }
        losses[row] = mass * logSum - weighted

        guard let exponentials else { continue }
        let factor = Lanes(repeating: gradientScale * mass / total)
        let uniform = Lanes(repeating: targets == nil ? gradientScale * smoothing / Float(classes) : 0)
        let scale = Lanes(repeating: gradientScale)
        var i = 0
        while i < classes {
            let part = classes - i < laneCount ? classes - i : 0
            var value = multiplyAdd(load(exponentials + i, part: part), factor, -uniform)
            if let targets {
                value = multiplySubtract(load(targets + row * classes + i, part: part), scale, from: value)
            }
            store(value, exponentials + i, part: part)
            i += laneCount
        }
        if targets == nil, let labels { exponentials[Int(labels[row])] -= gradientScale * (1 - smoothing) }
    }
}

@inline(always)
private func weighTargets(
    _ targets: UnsafePointer<Float>, _ logits: UnsafePointer<Float>, _ greatest: Float, _ sums: inout Lanes,
    _ products: inout Lanes, part: Int
) {
    let target = load(targets, part: part)
    sums += target
    products = multiplyAdd(target, load(logits, part: part) - Lanes(repeating: greatest), products)
}

@inline(always)
private func sumOfDifferences(_ count: Int, _ x: UnsafePointer<Float>, _ center: Float) -> Float {
    let centers = Lanes(repeating: center)
    var total = Lanes.zero
    var i = 0
    while i + laneCount <= count {
        total += load(x + i) - centers
        i += laneCount
    }
    if i < count {
        let rest = count - i
        total += keep(first: rest, of: load(x + i, first: rest) - centers, else: Lanes.zero)
    }
    return sum(total)
}
