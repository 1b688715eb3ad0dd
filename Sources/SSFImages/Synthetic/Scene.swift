import Foundation
import SSFTensors

/// A shape with a place, a size, a direction and a texture.
struct Figure: Sendable {
    var shape: Shape2D
    var center: Point
    /// Radius of the circle that holds the shape, in widths of the picture.
    var radius: Float
    var angle: Float
    var texture: Texture
}

/// Textured shapes on a textured ground, drawn at any size.
struct Scene: Sendable {
    var ground: Texture
    var figures: [Figure]
    /// Largest change of a pixel by noise.
    var noise: Float
    var noiseSeed: UInt64

    /// Draws the scene, edges smoothed over one pixel.
    func image(side: Int) -> RGBImage {
        var colors = [Color](unsafeUninitializedCapacity: side * side) { buffer, count in
            let cosine = cos(ground.angle)
            let sine = sin(ground.angle)
            for y in 0..<side {
                for x in 0..<side {
                    let color = ground.color(at: point(x, y, side), cosine: cosine, sine: sine)
                    (buffer.baseAddress! + count).initialize(to: color)
                    count += 1
                }
            }
        }
        for figure in figures { draw(figure, on: &colors, side: side) }
        var random = RandomGenerator(seed: noiseSeed)
        return RGBImage(width: side, height: side) { pixels in
            func byte(_ value: Float, _ bits: UInt64) -> UInt8 {
                let change = noise * (Float(bits & 0xFFFF) / 32768 - 1)
                return UInt8(max(0, min(255, ((value + change) * 255).rounded())))
            }
            for i in 0..<side * side {
                let bits = random.next()
                pixels[3 * i] = byte(colors[i].red, bits)
                pixels[3 * i + 1] = byte(colors[i].green, bits >> 16)
                pixels[3 * i + 2] = byte(colors[i].blue, bits >> 32)
            }
        }
    }

    private func point(_ x: Int, _ y: Int, _ side: Int) -> Point {
        Point(x: (Float(x) + 0.5) / Float(side), y: (Float(y) + 0.5) / Float(side))
    }

    private func draw(_ figure: Figure, on colors: inout [Color], side: Int) {
        let pixel = 1 / Float(side)
        let reach = figure.radius + pixel
        func bounds(_ center: Float) -> Range<Int> {
            let low = max(0, Int((center - reach) * Float(side)))
            return low..<max(low, min(side, Int((center + reach) * Float(side)) + 1))
        }
        let turn = (cosine: cos(figure.angle), sine: sin(figure.angle))
        let texture = figure.texture
        let (cosine, sine) = (cos(texture.angle), sin(texture.angle))
        for y in bounds(figure.center.y) {
            for x in bounds(figure.center.x) {
                let place = point(x, y, side)
                let offset = place - figure.center
                // Back into the shape's own frame: turned by minus its angle, radius 1.
                let local = Point(
                    x: (offset.x * turn.cosine + offset.y * turn.sine) / figure.radius,
                    y: (offset.y * turn.cosine - offset.x * turn.sine) / figure.radius)
                let coverage = 0.5 - figure.shape.distance(local) * figure.radius * Float(side)
                guard coverage > 0 else { continue }
                let color = texture.color(at: offset, cosine: cosine, sine: sine)
                colors[y * side + x] = colors[y * side + x].mixed(with: color, min(1, coverage))
            }
        }
    }
}
