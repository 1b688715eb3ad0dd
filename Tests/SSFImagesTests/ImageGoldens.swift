import Foundation
import SSFImages
import SSFTensors
import SSFTestSupport

/// The images that Pillow, torchvision and timm made of the files in `Tests/Goldens/images`.
enum ImageGoldens {
    static let expected: [String: Tensor] = {
        do { return try Goldens.tensors("images/expected.safetensors") } catch { fatalError("\(error)") }
    }()

    static func names(_ prefix: String) -> [String] {
        expected.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }.sorted()
    }

    static func path(_ file: String) -> String { Goldens.path("images/" + file) }

    static func bytes(_ file: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: Goldens.url("images/" + file))) }

    /// An expected image.
    static func image(_ name: String) throws -> RGBImage {
        guard let tensor = expected[name] else { throw UserError("no golden \(name)") }
        return RGBImage(width: tensor.shape[1], height: tensor.shape[0], pixels: Array(tensor.bytes))
    }

    static func source() throws -> RGBImage { try ImageDecoder().decode(path: path("source.png")) }
}

/// How far two images are apart.
struct Difference: CustomStringConvertible {
    /// The largest difference of a byte; 256 for images of different size.
    var largest: Int
    /// The part of all bytes that differ.
    var part: Double

    init(_ a: RGBImage, _ b: RGBImage) {
        guard a.width == b.width && a.height == b.height else {
            (largest, part) = (256, 1)
            return
        }
        let steps = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
        largest = steps.max() ?? 0
        part = Double(steps.count { $0 > 0 }) / Double(steps.count)
    }

    var description: String { "largest \(largest), \(part * 100) % of bytes" }
}
