import Foundation
import SSFTensors

/// How an image of any size becomes one of the model's input size.
public enum CropRule: Sendable, Equatable {
    /// Resized to the input size whatever its shape: the rule of VTAB-1k and of images that have the size already.
    case direct
    /// timm's evaluation: the shorter side becomes floor(size / fraction), then the centre is cut out.
    case center(fraction: Double)
    /// timm's `squash`: both sides become floor(size / fraction), then the centre is cut out.
    case squash(fraction: Double)
    /// torchvision's `RandomResizedCrop`: a random part of the image's area within `scale`, of an aspect ratio within
    /// `ratio` (drawn evenly in its logarithm), resized to the input size.
    case randomResized(scale: ClosedRange<Double> = 0.08...1, ratio: ClosedRange<Double> = 0.75...(4.0 / 3))
    /// Direct resize, then a shift of up to `padding` pixels either way over black: what is customary for CIFAR.
    case padded(padding: Int = 4)

    /// Whether the rule gives one result per image, apart from a shift of the pixels that it ends with.
    var isDeterministic: Bool {
        if case .randomResized = self { return false }
        return true
    }
}

/// A resize of a part of the source followed by a cut from the result.
struct ResizePlan: Equatable {
    /// The part of the source that takes part.
    var source: PixelBox
    /// What that part is resized to.
    var width: Int
    var height: Int
    /// What is kept; may pass the edges of the resized image, where black is filled in.
    var window: PixelBox
}

extension CropRule {
    /// What the rule does to an image of a size; draws from `random` only in `randomResized`.
    func plan(
        width: Int, height: Int, targetWidth: Int, targetHeight: Int, random: inout RandomGenerator
    ) -> ResizePlan {
        let whole = PixelBox(x: 0, y: 0, width: width, height: height)
        let full = PixelBox(x: 0, y: 0, width: targetWidth, height: targetHeight)
        switch self {
        case .direct, .padded:
            return ResizePlan(source: whole, width: targetWidth, height: targetHeight, window: full)
        case .squash(let fraction):
            let w = CropRule.scaled(targetWidth, fraction)
            let h = CropRule.scaled(targetHeight, fraction)
            return ResizePlan(
                source: whole, width: w, height: h, window: CropRule.centered(full, inWidth: w, height: h))
        case .center(let fraction):
            let scaledWidth = CropRule.scaled(targetWidth, fraction)
            let scaledHeight = CropRule.scaled(targetHeight, fraction)
            let w: Int
            let h: Int
            if scaledWidth == scaledHeight {
                // torchvision's Resize with one number: the long side is rounded down.
                let long = Int(Double(scaledWidth * max(width, height)) / Double(min(width, height)))
                (w, h) = width <= height ? (scaledWidth, long) : (long, scaledWidth)
            } else {
                // timm's ResizeKeepRatio: the side that is nearer to its target reaches it.
                let ratio = min(Double(height) / Double(scaledHeight), Double(width) / Double(scaledWidth))
                w = max(1, Int((Double(width) / ratio).rounded(.toNearestOrEven)))
                h = max(1, Int((Double(height) / ratio).rounded(.toNearestOrEven)))
            }
            return ResizePlan(
                source: whole, width: w, height: h, window: CropRule.centered(full, inWidth: w, height: h))
        case .randomResized(let scale, let ratio):
            let box = CropRule.randomBox(width: width, height: height, scale: scale, ratio: ratio, random: &random)
            return ResizePlan(source: box, width: targetWidth, height: targetHeight, window: full)
        }
    }

    /// The part of an image that evaluation shows the model, in pixels of the image: edges may lie between pixels, and
    /// outside of the image where black was filled in.
    ///
    /// - Precondition: the rule leaves nothing to chance.
    public func visiblePart(
        ofWidth width: Int, height: Int, targetWidth: Int, targetHeight: Int
    ) -> (x: Double, y: Double, width: Double, height: Double) {
        precondition(isDeterministic, "a random crop has no one part")
        var random = RandomGenerator(seed: 0)
        let plan = plan(
            width: width, height: height, targetWidth: targetWidth, targetHeight: targetHeight, random: &random)
        let across = Double(plan.source.width) / Double(plan.width)
        let down = Double(plan.source.height) / Double(plan.height)
        return (
            Double(plan.source.x) + Double(plan.window.x) * across,
            Double(plan.source.y) + Double(plan.window.y) * down, Double(plan.window.width) * across,
            Double(plan.window.height) * down
        )
    }

    private static func scaled(_ side: Int, _ fraction: Double) -> Int {
        max(1, Int((Double(side) / fraction).rounded(.down)))
    }

    /// torchvision's `CenterCrop`: an odd margin is halved to the even neighbour; an image that is too small is padded
    /// with the smaller half before it.
    private static func centered(_ window: PixelBox, inWidth width: Int, height: Int) -> PixelBox {
        func offset(_ size: Int, _ crop: Int) -> Int {
            crop > size ? -((crop - size) / 2) : Int((Double(size - crop) / 2).rounded(.toNearestOrEven))
        }
        return PixelBox(
            x: offset(width, window.width), y: offset(height, window.height), width: window.width,
            height: window.height)
    }

    /// torchvision's `RandomResizedCrop.get_params`: ten attempts, then the largest centred box of an allowed ratio.
    package static func randomBox(
        width: Int, height: Int, scale: ClosedRange<Double>, ratio: ClosedRange<Double>, random: inout RandomGenerator
    ) -> PixelBox {
        let area = Double(width * height)
        let logRatio = (log(ratio.lowerBound), log(ratio.upperBound))
        for _ in 0..<10 {
            let part = area * (scale.lowerBound + (scale.upperBound - scale.lowerBound) * random.uniform())
            let aspect = exp(logRatio.0 + (logRatio.1 - logRatio.0) * random.uniform())
            let w = Int((part * aspect).squareRoot().rounded(.toNearestOrEven))
            let h = Int((part / aspect).squareRoot().rounded(.toNearestOrEven))
            guard w > 0 && w <= width && h > 0 && h <= height else { continue }
            let y = random.integer(below: height - h + 1)
            let x = random.integer(below: width - w + 1)
            return PixelBox(x: x, y: y, width: w, height: h)
        }
        var w = width
        var h = height
        let shape = Double(width) / Double(height)
        if shape < ratio.lowerBound {
            h = min(height, max(1, Int((Double(w) / ratio.lowerBound).rounded(.toNearestOrEven))))
        } else if shape > ratio.upperBound {
            w = min(width, max(1, Int((Double(h) * ratio.upperBound).rounded(.toNearestOrEven))))
        }
        return PixelBox(x: (width - w) / 2, y: (height - h) / 2, width: w, height: h)
    }
}
