import Foundation
import SSFTensors

/// A repeating mark that mixes two colours.
enum Pattern: String, CaseIterable, Sendable {
    case plain, stripes, checks, dots, grid, waves, rings, clouds
}

/// A colour of linear components, 0 to 1.
struct Color: Sendable {
    var red: Float
    var green: Float
    var blue: Float

    func mixed(with other: Color, _ part: Float) -> Color {
        Color(
            red: red + part * (other.red - red), green: green + part * (other.green - green),
            blue: blue + part * (other.blue - blue))
    }

    /// A random hue of a given luma.
    static func random(luma: Float, chroma: Float, random: inout RandomGenerator) -> Color {
        // Two axes of the colour plane at constant luma (YUV), at a random angle.
        let angle = Float(random.uniform(0...(2 * .pi)))
        let strength = chroma * Float(random.uniform(0.2...1))
        let u = strength * cos(angle)
        let v = strength * sin(angle)
        func clamp(_ x: Float) -> Float { max(0, min(1, x)) }
        return Color(
            red: clamp(luma + 1.14 * v), green: clamp(luma - 0.395 * u - 0.581 * v), blue: clamp(luma + 2.03 * u))
    }
}

/// Two colours in a pattern of some scale, direction and phase.
struct Texture: Sendable {
    var pattern: Pattern
    var colors: (Color, Color)
    /// Repeats in the width of the picture.
    var frequency: Float
    /// Direction, radians.
    var angle: Float
    var phase: Point
    /// Seed of the clouds.
    var grain: UInt64

    init(
        pattern: Pattern, luma: ClosedRange<Float>, chroma: Float, frequency: ClosedRange<Float>,
        random: inout RandomGenerator
    ) {
        self.pattern = pattern
        // The two colours stand in the lower and the upper third of the band, so that the pattern is always seen.
        let third = (luma.upperBound - luma.lowerBound) / 3
        let low = luma.lowerBound + third * Float(random.uniform())
        let high = luma.upperBound - third * Float(random.uniform())
        let first = Color.random(luma: low, chroma: chroma, random: &random)
        let second = Color.random(luma: high, chroma: chroma, random: &random)
        colors = random.chance(0.5) ? (first, second) : (second, first)
        self.frequency = Float(random.uniform(Double(frequency.lowerBound)...Double(frequency.upperBound)))
        angle = Float(random.uniform(0...(2 * .pi)))
        phase = Point(x: Float(random.uniform()), y: Float(random.uniform()))
        grain = random.next()
    }

    /// Steepness of the change between the colours.
    private static let sharpness: Float = 1.8

    /// The colour at a point.
    func color(at p: Point, cosine: Float, sine: Float) -> Color {
        let turn = 2 * Float.pi
        let u = (p.x * cosine + p.y * sine) * frequency + phase.x
        let v = (p.y * cosine - p.x * sine) * frequency + phase.y
        let wave: Float
        switch pattern {
        case .plain: return colors.0
        case .stripes: wave = sin(turn * u)
        case .checks: wave = 2 * sin(turn * u * 0.7) * sin(turn * v * 0.7)
        case .dots: wave = 1.5 * (cos(turn * u) + cos(turn * v) - 0.7)
        case .grid: wave = 3 * (max(cos(turn * u), cos(turn * v)) - 0.75)
        case .waves: wave = sin(turn * (u + 0.35 * sin(turn * v * 0.6)))
        case .rings: wave = sin(turn * (u * u + v * v).squareRoot())
        case .clouds: wave = 3 * (clouds(u * 1.3, v * 1.3) - 0.5)
        }
        return colors.0.mixed(with: colors.1, max(0, min(1, 0.5 + Texture.sharpness * wave)))
    }

    /// Smooth noise between random values at whole coordinates, 0 to 1.
    private func clouds(_ x: Float, _ y: Float) -> Float {
        let column = x.rounded(.down)
        let row = y.rounded(.down)
        func smooth(_ t: Float) -> Float { t * t * (3 - 2 * t) }
        let right = smooth(x - column)
        let below = smooth(y - row)
        func value(_ dx: Int64, _ dy: Int64) -> Float {
            var mixer = RandomGenerator(
                seed: grain ^ UInt64(bitPattern: (Int64(column) + dx) &* 73_856_093 ^ (Int64(row) + dy) &* 19_349_663))
            return Float(mixer.uniform())
        }
        let top = value(0, 0) + right * (value(1, 0) - value(0, 0))
        let bottom = value(0, 1) + right * (value(1, 1) - value(0, 1))
        return top + below * (bottom - top)
    }
}
