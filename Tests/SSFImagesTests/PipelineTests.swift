import Foundation
import SSFImages
import SSFTensors
import Testing

@Suite struct PipelineTests {
    private func pipeline(_ width: Int, _ height: Int, _ crop: CropRule = .direct) -> Pipeline {
        Pipeline(
            width: width, height: height, crop: crop, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])
    }

    private func prepared(_ image: RGBImage, _ pipeline: Pipeline, seed: UInt64 = 0) -> [Float] {
        var random = RandomGenerator(seed: seed)
        return [Float](unsafeUninitializedCapacity: 3 * pipeline.width * pipeline.height) { buffer, count in
            ImagePreparer(pipeline).prepare(image, random: &random, into: buffer.baseAddress!)
            count = 3 * pipeline.width * pipeline.height
        }
    }

    @Test(arguments: ImageGoldens.names("eval."))
    func evaluationEqualsTimm(name: String) throws {
        // mode.fraction.WxH, where the fraction has a point of its own.
        let parts = name.split(separator: ".")
        let fraction = try #require(Double("\(parts[1]).\(parts[2])"))
        let size = parts[3].split(separator: "x").compactMap { Int($0) }
        let crop: CropRule = parts[0] == "squash" ? .squash(fraction: fraction) : .center(fraction: fraction)
        var random = RandomGenerator(seed: 0)
        let image = ImagePreparer(pipeline(size[0], size[1], crop)).resized(
            try ImageGoldens.source(), random: &random)
        let difference = Difference(image, try ImageGoldens.image("eval." + name))
        #expect(difference.largest == 0, "\(difference)")
    }

    @Test func normalisationEqualsTorchvision() throws {
        let expected = try #require(ImageGoldens.expected["normalized"])
        let values = prepared(try ImageGoldens.source(), pipeline(33, 33, .center(fraction: 0.875)))
        // The same three operations in the same precision: equal to the bit, or one rounding apart.
        let worst = zip(values, expected.values).map { abs($0 - $1) }.max() ?? .infinity
        #expect(values.count == expected.count && worst <= 2.4e-7)
    }

    @Test func extremeShapesAreCroppedWithoutBuildingTheWhole() throws {
        // The shorter side of 1 x 20000 becomes 35: the whole would have 700,000 columns.
        let line = RGBImage(width: 20_000, height: 1, pixels: [UInt8](repeating: 77, count: 60_000))
        let values = prepared(line, pipeline(32, 32, .center(fraction: 0.9)))
        #expect(values.prefix(1024).allSatisfy { $0 == (Float(77) / 255 - 0.485) / 0.229 })
    }

    @Test func flippingMirrorsRows() throws {
        let image = try ImageGoldens.source()
        var mirrored = pipeline(20, 10)
        mirrored.flipProbability = 1
        let plain = prepared(image, pipeline(20, 10))
        let flipped = prepared(image, mirrored)
        for row in 0..<30 {
            #expect(
                Array(plain[(20 * row)..<(20 * row + 20)].reversed()) == Array(flipped[(20 * row)..<(20 * row + 20)]))
        }
    }

    @Test func flipsComeAsOftenAsAsked() throws {
        let image = try ImageGoldens.source()
        var half = pipeline(8, 8)
        half.flipProbability = 0.5
        let plain = prepared(image, pipeline(8, 8))
        let flips = (0..<400).count { prepared(image, half, seed: UInt64($0)) != plain }
        #expect((160...240).contains(flips))  // four standard deviations of 10
    }

    @Test func randomCropsKeepToTheirBounds() {
        var random = RandomGenerator(seed: 3)
        var areas: [Double] = []
        for _ in 0..<2000 {
            let box = CropRule.randomBox(
                width: 200, height: 150, scale: 0.08...1, ratio: 0.75...(4.0 / 3), random: &random)
            #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 200 && box.y + box.height <= 150)
            let ratio = Double(box.width) / Double(box.height)
            #expect(ratio > 0.70 && ratio < 1.41)
            areas.append(Double(box.width * box.height) / 30_000)
        }
        #expect(areas.min()! < 0.1 && areas.max()! > 0.9)
        // torchvision gives a mean area of 0.4346, deviation 0.218, over 60,000 draws at this size: four deviations.
        #expect(abs(areas.reduce(0, +) / 2000 - 0.4346) < 0.02)
    }

    @Test func hopelessShapesFallBackToTheCentre() {
        var random = RandomGenerator(seed: 3)
        let box = CropRule.randomBox(width: 1000, height: 10, scale: 0.9...1, ratio: 0.75...(4.0 / 3), random: &random)
        #expect(box == PixelBox(x: 493, y: 0, width: 13, height: 10))
    }

    @Test func paddedCropsShiftOverBlack() throws {
        let white = RGBImage(width: 8, height: 8, pixels: [UInt8](repeating: 255, count: 192))
        let shifted = Pipeline(
            width: 8, height: 8, crop: .padded(padding: 4), mean: [0, 0, 0], deviation: [1, 1, 1])
        var seen = Set<[Int]>()
        for seed in 0..<500 {
            let values = prepared(white, shifted, seed: UInt64(seed))
            let rows = (0..<8).filter { y in (0..<8).contains { values[y * 8 + $0] == 1 } }
            let columns = (0..<8).filter { x in (0..<8).contains { values[$0 * 8 + x] == 1 } }
            #expect(rows.count >= 4 && columns.count >= 4)
            #expect(values.prefix(64).count { $0 == 1 } == rows.count * columns.count)
            seen.insert([rows[0], rows.count, columns[0], columns.count])
        }
        #expect(seen.count == 81)  // nine shifts each way
    }

    @Test func jitterStaysWithinItsFactors() throws {
        let grey = RGBImage(width: 4, height: 4, pixels: [UInt8](repeating: 100, count: 48))
        var jittered = Pipeline(width: 4, height: 4, mean: [0, 0, 0], deviation: [1, 1, 1])
        jittered.jitter = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4)
        let values = (0..<200).map { prepared(grey, jittered, seed: UInt64($0))[0] * 255 }
        // Of a flat grey only the brightness is seen: 60 to 140.
        #expect(values.min()! >= 59 && values.min()! < 65 && values.max()! <= 140 && values.max()! > 135)
    }

    @Test func erasingFillsARectangleWithNoise() throws {
        let white = RGBImage(width: 32, height: 32, pixels: [UInt8](repeating: 255, count: 3072))
        var erased = Pipeline(width: 32, height: 32, mean: [0, 0, 0], deviation: [1, 1, 1])
        erased.erasing = RandomErasing(probability: 1)
        for seed in 0..<50 {
            let values = prepared(white, erased, seed: UInt64(seed))
            let gone = (0..<1024).filter { values[$0] != 1 }
            #expect(gone.count >= 15 && gone.count <= 400)
            let columns = Set(gone.map { $0 % 32 })
            let rows = Set(gone.map { $0 / 32 })
            #expect(columns.count * rows.count == gone.count)
        }
    }
}
