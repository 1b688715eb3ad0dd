import Foundation
import SSFTensors

/// Replaces a random rectangle by normal noise, after normalisation (Zhong et al. 2017, timm's `pixel` mode).
public struct RandomErasing: Sendable, Equatable {
    public var probability: Double
    /// Part of the image's area.
    public var area: ClosedRange<Double>
    /// Height over width, drawn evenly in its logarithm.
    public var ratio: ClosedRange<Double>

    public init(
        probability: Double, area: ClosedRange<Double> = 0.02...(1.0 / 3), ratio: ClosedRange<Double> = 0.3...(1 / 0.3)
    ) {
        self.probability = probability
        self.area = area
        self.ratio = ratio
    }

    func apply(to image: UnsafeMutablePointer<Float>, width: Int, height: Int, random: inout RandomGenerator) {
        guard random.chance(probability) else { return }
        let logRatio = log(ratio.lowerBound)...log(ratio.upperBound)
        for _ in 0..<10 {
            let pixels = Double(width * height) * random.uniform(area)
            let aspect = exp(random.uniform(logRatio))
            let h = Int((pixels * aspect).squareRoot().rounded(.toNearestOrEven))
            let w = Int((pixels / aspect).squareRoot().rounded(.toNearestOrEven))
            guard w < width && h < height else { continue }
            let top = random.integer(below: height - h + 1)
            let left = random.integer(below: width - w + 1)
            for channel in 0..<3 {
                for y in top..<(top + h) {
                    let row = image + ((channel * height + y) * width + left)
                    for x in 0..<w { row[x] = Float(random.normal()) }
                }
            }
            return
        }
    }
}
