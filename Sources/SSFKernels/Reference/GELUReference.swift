import Foundation

extension Reference {
    /// `x * Phi(x)`, Phi the distribution function of the standard normal distribution.
    ///
    /// Phi through `erfc`, not through `1 + erf`, which loses every digit far to the left.
    package static func gelu(_ x: Double) -> Double {
        x == -.infinity ? 0 : x * 0.5 * erfc(-x / 2.0.squareRoot())
    }

    /// The derivative of ``gelu(_:)``: `Phi(x) + x * phi(x)`.
    package static func geluDerivative(_ x: Double) -> Double {
        let density = x.isInfinite ? 0 : x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        return 0.5 * erfc(-x / 2.0.squareRoot()) + density
    }
}
