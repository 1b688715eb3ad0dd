/// One step of AdamW on `count` parameters; the factors that depend on the step come ready from the caller.
///
///     g = gradient * gradientScale;  m += (1 - beta1) (g - m);  v = beta2 v + (1 - beta2) g^2
///     parameter = parameter * decay - stepSize * m / (sqrt(v) * secondFactor + epsilon)
public func adamW(
    count: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, gradientScale: Float,
    oneMinusBeta1: Float, beta2: Float, oneMinusBeta2: Float, decay: Float, stepSize: Float, secondFactor: Float,
    epsilon: Float
) {
    var i = 0
    while i < count {
        let part = count - i < laneCount ? count - i : 0
        let g = load(gradients + i, part: part) * Lanes(repeating: gradientScale)
        var m = load(firstMoment + i, part: part)
        m = multiplyAdd(Lanes(repeating: oneMinusBeta1), g - m, m)
        let v = multiplyAdd(
            Lanes(repeating: oneMinusBeta2) * g, g, load(secondMoment + i, part: part) * Lanes(repeating: beta2))
        let root = multiplyAdd(squareRoot(v), Lanes(repeating: secondFactor), Lanes(repeating: epsilon))
        let decayed = load(parameters + i, part: part) * Lanes(repeating: decay)
        store(multiplySubtract(Lanes(repeating: stepSize), m / root, from: decayed), parameters + i, part: part)
        store(m, firstMoment + i, part: part)
        store(v, secondMoment + i, part: part)
        i += laneCount
    }
}
