/// One step of stochastic gradient descent with momentum on `count` parameters.
///
///     g = gradient * gradientScale + weightDecay * parameter;  buffer = momentum * buffer + g
///     parameter = parameter - learningRate * (gradientWeight * g + bufferWeight * buffer)
///
/// The two weights are (0, 1) in the classical form and (1, momentum) in Nesterov's.
public func sgd(
    count: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
    buffer: UnsafeMutablePointer<Float>, gradientScale: Float, weightDecay: Float, momentum: Float,
    gradientWeight: Float, bufferWeight: Float, learningRate: Float
) {
    var i = 0
    while i < count {
        let part = count - i < laneCount ? count - i : 0
        let p = load(parameters + i, part: part)
        let scaled = load(gradients + i, part: part) * Lanes(repeating: gradientScale)
        let g = multiplyAdd(Lanes(repeating: weightDecay), p, scaled)
        let b = multiplyAdd(Lanes(repeating: momentum), load(buffer + i, part: part), g)
        let direction = multiplyAdd(Lanes(repeating: gradientWeight), g, Lanes(repeating: bufferWeight) * b)
        store(multiplySubtract(Lanes(repeating: learningRate), direction, from: p), parameters + i, part: part)
        store(b, buffer + i, part: part)
        i += laneCount
    }
}
