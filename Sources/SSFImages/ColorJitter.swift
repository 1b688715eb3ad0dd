import SSFTensors

/// Random brightness, contrast and saturation, in this order, each by a factor within `1 - strength ... 1 + strength`.
///
/// Each is Pillow's `ImageEnhance`: a mix of the image with black, with its mean grey, with its own grey version.
/// torchvision's `ColorJitter` does the same in a random order and may also turn the hue.
public struct ColorJitter: Sendable, Equatable {
    public var brightness: Double
    public var contrast: Double
    public var saturation: Double

    public init(brightness: Double, contrast: Double, saturation: Double) {
        precondition(brightness >= 0 && contrast >= 0 && saturation >= 0)
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
    }

    func apply(to pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, random: inout RandomGenerator) {
        func factor(_ strength: Double) -> Float { Float(random.uniform(max(0, 1 - strength)...(1 + strength))) }
        let factors = (factor(brightness), factor(contrast), factor(saturation))
        ColorJitter.mix(pixels, count: pixelCount, factor: factors.0) { _, _ in 0 }
        var total = 0
        for i in 0..<pixelCount { total += ColorJitter.luma(pixels + 3 * i) }
        let mean = Float((Double(total) / Double(pixelCount)).rounded())
        ColorJitter.mix(pixels, count: pixelCount, factor: factors.1) { _, _ in mean }
        ColorJitter.mix(pixels, count: pixelCount, factor: factors.2) { pixels, i in
            Float(ColorJitter.luma(pixels + 3 * i))
        }
    }

    /// ITU-R 601 luma in Pillow's integer arithmetic.
    private static func luma(_ pixel: UnsafeMutablePointer<UInt8>) -> Int {
        (Int(pixel[0]) * 19595 + Int(pixel[1]) * 38470 + Int(pixel[2]) * 7471 + 0x8000) >> 16
    }

    @inline(__always)
    private static func mix(
        _ pixels: UnsafeMutablePointer<UInt8>, count: Int, factor: Float,
        other: (UnsafeMutablePointer<UInt8>, Int) -> Float
    ) {
        for i in 0..<count {
            let base = other(pixels, i)
            for channel in 0..<3 {
                let value = base + factor * (Float(pixels[3 * i + channel]) - base)
                pixels[3 * i + channel] = UInt8(max(0, min(255, value)))
            }
        }
    }
}
