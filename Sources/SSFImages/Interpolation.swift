import Foundation

/// A resampling filter, under the names that timm's configurations use.
public enum Interpolation: String, Sendable, CaseIterable, Codable {
    case bilinear
    case bicubic
    case lanczos

    /// Half the filter's width, in source pixels when enlarging.
    var support: Double {
        switch self {
        case .bilinear: return 1
        case .bicubic: return 2
        case .lanczos: return 3
        }
    }

    /// The filter's value at a distance of `x` pixels; Pillow's definitions (the cubic has a = -0.5).
    func weight(_ x: Double) -> Double {
        let x = abs(x)
        guard x < support else { return 0 }
        switch self {
        case .bilinear:
            return 1 - x
        case .bicubic:
            let a = -0.5
            return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a
        case .lanczos:
            func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
            return sinc(x) * sinc(x / 3)
        }
    }
}
