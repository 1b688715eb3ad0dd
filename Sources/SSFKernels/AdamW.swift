package enum AdamW {
    package static func step(
        count: Int, parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
        firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, learningRate: Float,
        beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, step: Int, gradientScale: Float = 1,
        table: KernelTable = .current
    ) {
        for i in 0..<count {
            var (p, m, v) = (Double(parameters[i]), Double(firstMoment[i]), Double(secondMoment[i]))
            Reference.adamW(
                parameter: &p, gradient: Double(gradients[i] * gradientScale), firstMoment: &m, secondMoment: &v,
                learningRate: Double(learningRate), beta1: Double(beta1), beta2: Double(beta2),
                epsilon: Double(epsilon), weightDecay: Double(weightDecay), step: step)
            parameters[i] = Float(p)
            firstMoment[i] = Float(m)
            secondMoment[i] = Float(v)
        }
    }
}
