import Foundation
import SSFTensors

/// Everything that makes the drawn tasks easy or hard, in one place.
///
/// Lengths are in widths of the picture, brightness from 0 to 1.
enum Difficulty {
    /// Shapes and ground stand in different bands of brightness. Where the pattern is the question, or the outline, which
    /// is the brighter is left to chance; elsewhere the shape is.
    static let dark: ClosedRange<Float> = 0.08...0.40
    static let bright: ClosedRange<Float> = 0.60...0.92
    /// The part of its band that a pattern spans. Ground and shape are calm where the pattern is not the question: what
    /// varies without mattering is what a thousand images are too few to tell apart.
    static let calmGround: Float = 0.1
    static let calmFigure: Float = 0.3
    static let busyGround: Float = 0.6
    static let busyFigure: Float = 1
    static let chroma: Float = 0.25
    static let noise: Float = 0.02
    /// Repeats of a texture in the width of the picture. The shape's are finer, so that its pattern repeats within it.
    static let groundFrequency: ClosedRange<Float> = 1.5...4
    static let figureFrequency: ClosedRange<Float> = 4...7
    /// The outermost part of each bin of a continuous quantity that is left free, so that no label is a matter of a
    /// hair's breadth.
    static let binMargin = 0.1

    static let locationGrid = 3
    /// The part of the picture at each edge where no centre lies, so that little of a shape is cut off.
    static let locationEdge = 0.08
    static let locationRadius: ClosedRange<Double> = 0.14...0.20
    static let orientationRadius: ClosedRange<Double> = 0.30...0.42
    static let countHighest = 6
    /// Times the root of the number of shapes: all of them together cover about as much whatever their number, so that
    /// it cannot be told by the amount of texture or edge.
    static let countRadius: ClosedRange<Double> = 0.17...0.27
    static let countGap: Float = 0.04
    static let shapeRadius: ClosedRange<Double> = 0.22...0.36
    static let textureRadius: ClosedRange<Double> = 0.28...0.40
}

/// The tasks of the drawn sets: two that ask what is shown, and three in the manner of VTAB's structured tasks, which
/// ask where, how many and how turned. The features of a network trained on photographs answer the second kind badly
/// until it is tuned.
public enum SyntheticTask: String, CaseIterable, Sendable {
    /// In which cell of a 3 x 3 grid the one small shape lies (as dSprites location). 9 classes.
    case location
    /// Which way a pointed shape points, in 4 sectors of the full circle (as dSprites orientation). 4 classes.
    case orientation
    /// How many shapes there are, 1 to 6 (as CLEVR count). 6 classes.
    case count
    /// Which of 8 outlines the shape has, at any place, size and angle. 8 classes.
    case shape
    /// Which of 8 patterns fills the shape; the ground has another pattern. 8 classes.
    case texture

    public var classes: [String] {
        switch self {
        case .location:
            let side = Difficulty.locationGrid
            return (0..<side * side).map { "row \($0 / side + 1) column \($0 % side + 1)" }
        case .orientation:
            // Sectors of equal size, clockwise from positive x.
            return ["right", "down", "left", "up"]
        case .count: return (1...Difficulty.countHighest).map(String.init)
        case .shape: return Shape2D.distinct.map(\.rawValue)
        case .texture: return Pattern.allCases.map(\.rawValue)
        }
    }

    /// The scene of a label; everything that the label does not say is drawn from `random`.
    func scene(label: Int, random: inout RandomGenerator) -> Scene {
        let isBusy = self == .shape || self == .texture
        let isDarkGround = isBusy ? random.chance(0.5) : true
        let lumas =
            isDarkGround ? (Difficulty.dark, Difficulty.bright) : (Difficulty.bright, Difficulty.dark)
        func middle(_ part: Float, of band: ClosedRange<Float>) -> ClosedRange<Float> {
            let margin = (band.upperBound - band.lowerBound) * (1 - part) / 2
            return (band.lowerBound + margin)...(band.upperBound - margin)
        }
        let groundLuma = middle(isBusy ? Difficulty.busyGround : Difficulty.calmGround, of: lumas.0)
        let figureLuma = middle(isBusy ? Difficulty.busyFigure : Difficulty.calmFigure, of: lumas.1)
        var groundPattern = Pattern.allCases[random.integer(below: Pattern.allCases.count)]
        if self == .texture && groundPattern.rawValue == classes[label] {
            // The same pattern on both sides would hide the question.
            groundPattern =
                Pattern.allCases[
                    (label + 1 + random.integer(below: Pattern.allCases.count - 1)) % Pattern.allCases.count]
        }
        let ground = Texture(
            pattern: groundPattern, luma: groundLuma, chroma: Difficulty.chroma, frequency: Difficulty.groundFrequency,
            random: &random)

        func texture(_ pattern: Pattern? = nil, random: inout RandomGenerator) -> Texture {
            let chosen = pattern ?? Pattern.allCases[random.integer(below: Pattern.allCases.count)]
            return Texture(
                pattern: chosen, luma: figureLuma, chroma: Difficulty.chroma, frequency: Difficulty.figureFrequency,
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
            let bins = classes.count
            // The sectors are centred on the axes.
            let turn = SyntheticTask.within(bin: label, of: bins, random: &random) - 0.5 / Double(bins)
            figures = [
                Figure(
                    shape: pick(Shape2D.pointed, random: &random), center: place(radius: radius, random: &random),
                    radius: Float(radius), angle: Float(turn * 2 * .pi), texture: texture(random: &random))
            ]
        case .count:
            var attempts = 0
            while figures.count <= label {
                attempts += 1
                // The first few may lie so that no other fits between them: begin anew.
                if attempts % 200 == 0 { figures = [] }
                let radius = random.uniform(Difficulty.countRadius) / Double(label + 1).squareRoot()
                let center = place(radius: radius, random: &random)
                let isFree = figures.allSatisfy {
                    ($0.center - center).length > $0.radius + Float(radius) + Difficulty.countGap
                }
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
        }
        return Scene(ground: ground, figures: figures, noise: Difficulty.noise, noiseSeed: random.next())
    }

    /// A number in 0...1 within one of `bins` equal bins, clear of its edges.
    private static func within(bin: Int, of bins: Int, random: inout RandomGenerator) -> Double {
        let inner = random.uniform(Difficulty.binMargin...(1 - Difficulty.binMargin))
        return (Double(bin) + inner) / Double(bins)
    }
}
