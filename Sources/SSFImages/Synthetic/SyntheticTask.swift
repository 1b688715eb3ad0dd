import Foundation
import SSFTensors

/// Everything that makes the drawn tasks easy or hard, in one place.
///
/// Lengths are in widths of the picture, brightness from 0 to 1.
enum Difficulty {
    /// Shapes and ground stand in different bands of brightness; which is the brighter is left to chance.
    static let dark: ClosedRange<Float> = 0.08...0.42
    static let bright: ClosedRange<Float> = 0.58...0.92
    static let chroma: Float = 0.25
    static let noise: Float = 0.04
    /// Repeats of a texture in the width of the picture. The shape's are finer, so that its pattern repeats within it.
    static let groundFrequency: ClosedRange<Float> = 1.5...4
    static let figureFrequency: ClosedRange<Float> = 4...7
    /// The outermost part of each bin of a continuous quantity that is left free, so that no label is a matter of a
    /// hair's breadth.
    static let binMargin = 0.1

    static let locationGrid = 4
    /// The part of the picture at each edge where no centre lies, so that little of a shape is cut off.
    static let locationEdge = 0.06
    static let locationRadius: ClosedRange<Double> = 0.09...0.15
    static let orientationBins = 8
    static let orientationRadius: ClosedRange<Double> = 0.24...0.36
    static let countHighest = 6
    static let countRadius: ClosedRange<Double> = 0.08...0.13
    static let shapeRadius: ClosedRange<Double> = 0.22...0.36
    static let textureRadius: ClosedRange<Double> = 0.28...0.40
    static let sizeBins = 6
    static let sizeRadius: ClosedRange<Double> = 0.10...0.40
}

/// The tasks of the drawn sets, in the manner of VTAB's structured tasks: what is asked is not what the picture shows,
/// but where, how many, how large or how turned.
public enum SyntheticTask: String, CaseIterable, Sendable {
    /// In which cell of a 4 x 4 grid the one small shape lies (as dSprites location). 16 classes.
    case location
    /// Which way a pointed shape points, in 8 sectors of the full circle (as dSprites orientation). 8 classes.
    case orientation
    /// How many shapes there are, 1 to 6 (as CLEVR count). 6 classes.
    case count
    /// Which of 8 outlines the shape has, at any place, size and angle. 8 classes.
    case shape
    /// Which of 8 patterns fills the shape; the ground has another pattern. 8 classes.
    case texture
    /// How large the shape is, in 6 steps of its radius (as CLEVR distance and KITTI). 6 classes.
    case size

    public var classes: [String] {
        switch self {
        case .location:
            let side = Difficulty.locationGrid
            return (0..<side * side).map { "row \($0 / side + 1) column \($0 % side + 1)" }
        case .orientation:
            return ["east", "south-east", "south", "south-west", "west", "north-west", "north", "north-east"]
        case .count: return (1...Difficulty.countHighest).map(String.init)
        case .shape: return Shape2D.distinct.map(\.rawValue)
        case .texture: return Pattern.allCases.map(\.rawValue)
        case .size: return (1...Difficulty.sizeBins).map { "size \($0)" }
        }
    }

    /// The scene of a label; everything that the label does not say is drawn from `random`.
    func scene(label: Int, random: inout RandomGenerator) -> Scene {
        let isDarkGround = random.chance(0.5)
        let lumas =
            isDarkGround ? (Difficulty.dark, Difficulty.bright) : (Difficulty.bright, Difficulty.dark)
        var groundPattern = Pattern.allCases[random.integer(below: Pattern.allCases.count)]
        if self == .texture && groundPattern.rawValue == classes[label] {
            // The same pattern on both sides would hide the question.
            groundPattern = Pattern.allCases[(label + 1 + random.integer(below: 7)) % 8]
        }
        let ground = Texture(
            pattern: groundPattern, luma: lumas.0, chroma: Difficulty.chroma, frequency: Difficulty.groundFrequency,
            random: &random)

        func texture(_ pattern: Pattern? = nil, random: inout RandomGenerator) -> Texture {
            let chosen = pattern ?? Pattern.allCases[random.integer(below: Pattern.allCases.count)]
            return Texture(
                pattern: chosen, luma: lumas.1, chroma: Difficulty.chroma, frequency: Difficulty.figureFrequency,
                random: &random)
        }
        func pick(_ shapes: [Shape2D], random: inout RandomGenerator) -> Shape2D {
            shapes[random.integer(below: shapes.count)]
        }
        func angle(random: inout RandomGenerator) -> Float { Float(random.uniform(0...(2 * .pi))) }
        /// A place at which a circle fits into the picture.
        func place(radius: Double, random: inout RandomGenerator) -> Point {
            Point(x: Float(random.uniform(radius...(1 - radius))), y: Float(random.uniform(radius...(1 - radius))))
        }

        var figures: [Figure] = []
        switch self {
        case .location:
            let side = Difficulty.locationGrid
            func coordinate(_ cell: Int, random: inout RandomGenerator) -> Float {
                let edge = Difficulty.locationEdge
                return Float(edge + (1 - 2 * edge) * SyntheticTask.within(bin: cell, of: side, random: &random))
            }
            figures = [
                Figure(
                    shape: pick(Shape2D.distinct, random: &random),
                    center: Point(
                        x: coordinate(label % side, random: &random), y: coordinate(label / side, random: &random)),
                    radius: Float(random.uniform(Difficulty.locationRadius)), angle: angle(random: &random),
                    texture: texture(random: &random))
            ]
        case .orientation:
            let radius = random.uniform(Difficulty.orientationRadius)
            let bins = Difficulty.orientationBins
            // The sectors are centred on the points of the compass.
            let turn = SyntheticTask.within(bin: label, of: bins, random: &random) - 0.5 / Double(bins)
            figures = [
                Figure(
                    shape: pick(Shape2D.pointed, random: &random), center: place(radius: radius, random: &random),
                    radius: Float(radius), angle: Float(turn * 2 * .pi), texture: texture(random: &random))
            ]
        case .count:
            while figures.count <= label {
                let radius = random.uniform(Difficulty.countRadius)
                let center = place(radius: radius, random: &random)
                // Shapes keep apart by a twentieth of the picture.
                let isFree = figures.allSatisfy { ($0.center - center).length > $0.radius + Float(radius) + 0.05 }
                guard isFree else { continue }
                figures.append(
                    Figure(
                        shape: pick(Shape2D.distinct, random: &random), center: center, radius: Float(radius),
                        angle: angle(random: &random), texture: texture(random: &random)))
            }
        case .shape:
            let radius = random.uniform(Difficulty.shapeRadius)
            figures = [
                Figure(
                    shape: Shape2D.distinct[label], center: place(radius: radius, random: &random),
                    radius: Float(radius), angle: angle(random: &random), texture: texture(random: &random))
            ]
        case .texture:
            let radius = random.uniform(Difficulty.textureRadius)
            figures = [
                Figure(
                    shape: pick(Shape2D.plain, random: &random), center: place(radius: radius, random: &random),
                    radius: Float(radius), angle: angle(random: &random),
                    texture: texture(Pattern.allCases[label], random: &random))
            ]
        case .size:
            let range = Difficulty.sizeRadius
            let step = SyntheticTask.within(bin: label, of: Difficulty.sizeBins, random: &random)
            let radius = range.lowerBound + step * (range.upperBound - range.lowerBound)
            figures = [
                Figure(
                    shape: pick(Shape2D.plain, random: &random), center: place(radius: radius, random: &random),
                    radius: Float(radius), angle: angle(random: &random), texture: texture(random: &random))
            ]
        }
        return Scene(ground: ground, figures: figures, noise: Difficulty.noise, noiseSeed: random.next())
    }

    /// A number in 0...1 within one of `bins` equal bins, clear of its edges.
    private static func within(bin: Int, of bins: Int, random: inout RandomGenerator) -> Double {
        let inner = random.uniform(Difficulty.binMargin...(1 - Difficulty.binMargin))
        return (Double(bin) + inner) / Double(bins)
    }
}
