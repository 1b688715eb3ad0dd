import Foundation

extension Reference {
    /// One step of AdamW on one parameter (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2, as PyTorch does it).
    package static func adamW(
        parameter: inout Double, gradient: Double, firstMoment: inout Double, secondMoment: inout Double,
        learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, step: Int
    ) {
        parameter *= 1 - learningRate * weightDecay
        firstMoment = beta1 * firstMoment + (1 - beta1) * gradient
        secondMoment = beta2 * secondMoment + (1 - beta2) * gradient * gradient
        let first = firstMoment / (1 - pow(beta1, Double(step)))
        let second = secondMoment / (1 - pow(beta2, Double(step)))
        parameter -= learningRate * first / (second.squareRoot() + epsilon)
    }
}
