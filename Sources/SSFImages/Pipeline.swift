import SSFTensors

/// What happens to an image between the decoder and the model's input: crop and resize, colour, flip, normalise, erase.
///
/// A plain value; each loading thread runs it through an `ImagePreparer` of its own.
public struct Pipeline: Sendable {
    /// The model's input size.
    public var width: Int
    public var height: Int
    public var crop: CropRule
    public var interpolation: Interpolation
    /// Probability of mirroring left and right.
    public var flipProbability: Double
    public var jitter: ColorJitter?
    public var erasing: RandomErasing?
    /// Per channel, on the scale where white is 1.
    public var mean: [Float]
    public var deviation: [Float]
    public var decoder: ImageDecoder

    /// - Precondition: the size is positive; `mean` and `deviation` have three numbers, deviations not 0.
    public init(
        width: Int, height: Int, crop: CropRule = .direct, interpolation: Interpolation = .bicubic,
        flipProbability: Double = 0, jitter: ColorJitter? = nil, erasing: RandomErasing? = nil, mean: [Float],
        deviation: [Float], decoder: ImageDecoder = ImageDecoder()
    ) {
        precondition(width > 0 && height > 0)
        precondition(mean.count == 3 && deviation.count == 3 && !deviation.contains(0))
        self.width = width
        self.height = height
        self.crop = crop
        self.interpolation = interpolation
        self.flipProbability = flipProbability
        self.jitter = jitter
        self.erasing = erasing
        self.mean = mean
        self.deviation = deviation
        self.decoder = decoder
    }

    /// Bytes of an image at the input size.
    var byteCount: Int { width * height * 3 }

    /// Whether every draw of an image starts from the same resized pixels, so that these may be kept.
    public var isCacheable: Bool { crop.isDeterministic }
}

/// Runs a pipeline, one image at a time, in scratch memory of its own. Not for two threads at once.
public final class ImagePreparer {
    public let pipeline: Pipeline
    private let resampler = Resampler()
    private var resized: [UInt8]
    private var changed: [UInt8]
    /// The normalised value of each byte value of each channel, [3, 256].
    private let table: [Float]

    public init(_ pipeline: Pipeline) {
        self.pipeline = pipeline
        resized = [UInt8](repeating: 0, count: pipeline.byteCount)
        changed = resized
        // The operations of torchvision's ToTensor and Normalize in their order and precision.
        table = (0..<3).flatMap { channel in
            (0..<256).map { (Float($0) / 255 - pipeline.mean[channel]) / pipeline.deviation[channel] }
        }
    }

    /// Prepares an image.
    ///
    /// - Parameters:
    ///   - random: The source of everything that is left to chance.
    ///   - target: 3 x height x width numbers, channel by channel.
    public func prepare(_ image: RGBImage, random: inout RandomGenerator, into target: UnsafeMutablePointer<Float>) {
        resize(image, random: &random)
        resized.withUnsafeBufferPointer { finish($0.baseAddress!, random: &random, into: target) }
    }

    /// Prepares an image of a set, from `cache` where it is there.
    ///
    /// - Throws: `UserError` of the decoder.
    func prepare(
        _ item: ImageItem, index: Int, cache: ImageCache?, random: inout RandomGenerator,
        into target: UnsafeMutablePointer<Float>
    ) throws {
        if let kept = cache?.pixels(at: index) {
            finish(kept, random: &random, into: target)
            return
        }
        resize(try item.image(decoder: pipeline.decoder), random: &random)
        resized.withUnsafeBufferPointer {
            cache?.store($0.baseAddress!, at: index)
            finish($0.baseAddress!, random: &random, into: target)
        }
    }

    /// The crop and resize of an image, to the byte, as an image.
    public func resized(_ image: RGBImage, random: inout RandomGenerator) -> RGBImage {
        resize(image, random: &random)
        return RGBImage(width: pipeline.width, height: pipeline.height, pixels: resized)
    }

    private func resize(_ image: RGBImage, random: inout RandomGenerator) {
        let plan = pipeline.crop.plan(
            width: image.width, height: image.height, targetWidth: pipeline.width, targetHeight: pipeline.height,
            random: &random)
        let left = max(0, plan.window.x)
        let top = max(0, plan.window.y)
        let visible = PixelBox(
            x: left, y: top, width: min(plan.width, plan.window.x + plan.window.width) - left,
            height: min(plan.height, plan.window.y + plan.window.height) - top)
        resized.withUnsafeMutableBufferPointer { buffer in
            let target = buffer.baseAddress!
            image.withView { view in
                let source = view.cropped(to: plan.source)
                if visible == plan.window {
                    resampler.resize(
                        source, width: plan.width, height: plan.height, filter: pipeline.interpolation,
                        window: visible, into: target)
                    return
                }
                // The cut passes the edges: black around what there is.
                let inner = RGBImage(width: visible.width, height: visible.height) {
                    resampler.resize(
                        source, width: plan.width, height: plan.height, filter: pipeline.interpolation,
                        window: visible, into: $0)
                }
                target.update(repeating: 0, count: pipeline.byteCount)
                let offset = ((top - plan.window.y) * pipeline.width + left - plan.window.x) * 3
                for y in 0..<inner.height {
                    let start = y * inner.width * 3
                    inner.pixels.withUnsafeBufferPointer {
                        (target + (offset + y * pipeline.width * 3))
                            .update(from: $0.baseAddress! + start, count: inner.width * 3)
                    }
                }
            }
        }
    }

    /// Everything that follows the resize: shift, colour, flip and normalise, erase.
    private func finish(
        _ pixels: UnsafePointer<UInt8>, random: inout RandomGenerator, into target: UnsafeMutablePointer<Float>
    ) {
        changed.withUnsafeMutableBufferPointer { buffer in
            var source = pixels
            let scratch = buffer.baseAddress!
            if case .padded(let padding) = pipeline.crop, padding > 0 {
                let dx = random.integer(below: 2 * padding + 1) - padding
                let dy = random.integer(below: 2 * padding + 1) - padding
                shift(source, dx: dx, dy: dy, into: scratch)
                source = UnsafePointer(scratch)
            }
            if let jitter = pipeline.jitter {
                if source != UnsafePointer(scratch) { scratch.update(from: source, count: pipeline.byteCount) }
                jitter.apply(to: scratch, pixelCount: pipeline.width * pipeline.height, random: &random)
                source = UnsafePointer(scratch)
            }
            let isFlipped = pipeline.flipProbability > 0 && random.chance(pipeline.flipProbability)
            normalize(source, isFlipped: isFlipped, into: target)
        }
        pipeline.erasing?.apply(to: target, width: pipeline.width, height: pipeline.height, random: &random)
    }

    /// Pixel (x, y) becomes (x + dx, y + dy) of the source, black outside.
    private func shift(_ source: UnsafePointer<UInt8>, dx: Int, dy: Int, into target: UnsafeMutablePointer<UInt8>) {
        let width = pipeline.width
        let rowBytes = width * 3
        let kept = max(0, width - abs(dx)) * 3
        for y in 0..<pipeline.height {
            let row = target + y * rowBytes
            row.update(repeating: 0, count: rowBytes)
            guard (0..<pipeline.height).contains(y + dy) else { continue }
            (row + max(0, -dx) * 3).update(from: source + ((y + dy) * rowBytes + max(0, dx) * 3), count: kept)
        }
    }

    private func normalize(_ source: UnsafePointer<UInt8>, isFlipped: Bool, into target: UnsafeMutablePointer<Float>) {
        let width = pipeline.width
        let plane = width * pipeline.height
        table.withUnsafeBufferPointer { table in
            let red = table.baseAddress!
            let green = red + 256
            let blue = red + 512
            for y in 0..<pipeline.height {
                var pixel = source + y * width * 3
                let row = target + y * width
                var x = isFlipped ? width - 1 : 0
                let step = isFlipped ? -1 : 1
                for _ in 0..<width {
                    row[x] = red[Int(pixel[0])]
                    row[x + plane] = green[Int(pixel[1])]
                    row[x + 2 * plane] = blue[Int(pixel[2])]
                    pixel += 3
                    x += step
                }
            }
        }
    }
}
