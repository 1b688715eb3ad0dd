import Foundation
import SSFImages
import SSFTensors
import SSFTestSupport
import Testing

@Suite struct SyntheticTests {
    /// CRC-like sum over pixels, to pin what is drawn.
    private func checksum(_ image: RGBImage) -> UInt64 {
        image.pixels.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    @Test(arguments: SyntheticTask.allCases)
    func imagesDependOnSeedSplitAndIndexOnly(task: SyntheticTask) {
        let images = SyntheticImages(task: task, split: "train", size: 32, seed: 5)
        let again = SyntheticImages(task: task, split: "train", size: 32, seed: 5)
        for index in [0, 1, 999] {
            #expect(images.image(at: index) == again.image(at: index))
            #expect(images.label(at: index) == again.label(at: index))
        }
        let different = [
            images.image(at: 1), SyntheticImages(task: task, split: "test", size: 32, seed: 5).image(at: 0),
            SyntheticImages(task: task, split: "train", size: 32, seed: 6).image(at: 0),
        ]
        for image in different { #expect(image != images.image(at: 0)) }
    }

    @Test(arguments: SyntheticTask.allCases)
    func classesAreEven(task: SyntheticTask) {
        let images = SyntheticImages(task: task, split: "train", size: 32)
        let count = task.classes.count
        var histogram = [Int](repeating: 0, count: count)
        for index in 0..<(20 * count) { histogram[images.label(at: index)] += 1 }
        #expect(histogram == [Int](repeating: 20, count: count))
        #expect(Set(task.classes).count == count)
    }

    /// No class is given away by its brightness or colour: the mean of each channel over many images of a class is that
    /// of all within the error of the mean.
    @Test(arguments: SyntheticTask.allCases)
    func meanColoursTellNothing(task: SyntheticTask) {
        let images = SyntheticImages(task: task, split: "train", size: 16)
        var means = [[Double]](repeating: [], count: task.classes.count)
        for index in 0..<(100 * task.classes.count) {
            let pixels = images.image(at: index).pixels
            means[images.label(at: index)].append(pixels.reduce(0) { $0 + Double($1) } / Double(pixels.count))
        }
        let all = means.flatMap { $0 }
        let center = all.reduce(0, +) / Double(all.count)
        let deviation = (all.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(all.count)).squareRoot()
        for members in means {
            let mean = members.reduce(0, +) / Double(members.count)
            // The error of a mean of 100 is a tenth of the deviation; four of them.
            #expect(abs(mean - center) < 0.4 * deviation)
        }
    }

    @Test func theSceneIsTheSameAtEverySize() {
        let small = SyntheticImages(task: .shape, split: "train", size: 32).image(at: 3)
        let large = SyntheticImages(task: .shape, split: "train", size: 128).image(at: 3)
        let reduced = Resampler().resize(large, width: 32, height: 32, filter: .bilinear)
        let difference = zip(small.pixels, reduced.pixels).reduce(0.0) { $0 + abs(Double($1.0) - Double($1.1)) }
        #expect(difference / Double(small.pixels.count) < 12)
    }

    @Test(arguments: [
        ("synthetic:", "no such drawn set"), ("synthetic:shapes", "no such drawn set"),
        ("synthetic:shape?sise=32", "unknown option sise"), ("synthetic:shape?size=big", "size is not a number"),
        ("synthetic:shape?size=4", "size is out of range"), ("synthetic:shape?train=0", "no training images"),
        ("synthetic:shape?train", "train is not a number"), ("synthetic:shape?train=-5", "train is not a number"),
    ])
    func mistakesAreNamed(location: String, message: String) {
        let error = #expect(throws: UserError.self) { try DatasetCollection.open(location) }
        #expect(error?.what.contains(message) == true, "\(String(describing: error))")
    }

    @Test func optionsAreRead() throws {
        let set = try DatasetCollection.open("synthetic:count?train=12&val=0&test=6&size=24&seed=3")
        #expect(set.format == .synthetic && set.splits.map(\.count) == [12, 6])
        let item = try #require(set.split("test")?.items.first)
        #expect(try item.image(decoder: ImageDecoder()).width == 24)
        let chosen = try DatasetCollection.open("synthetic:location").select()
        #expect(chosen.train.count == 1000 && chosen.validation?.count == 200 && chosen.test?.count == 1000)
        #expect(chosen.notes.isEmpty)
    }
}
