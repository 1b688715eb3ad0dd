extension Reference {
    /// One step of gradient descent with momentum on one parameter (Sutskever et al., ICML 2013, as PyTorch does it).
    package static func sgd(
        parameter: inout Double, gradient: Double, buffer: inout Double, learningRate: Double, momentum: Double,
        isNesterov: Bool, weightDecay: Double
    ) {
        let decayed = gradient + weightDecay * parameter
        buffer = momentum * buffer + decayed
        parameter -= learningRate * (isNesterov ? decayed + momentum * buffer : buffer)
    }
}
