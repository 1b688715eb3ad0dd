import SSFImages
import SSFTensors
import Testing

@Suite struct ResamplerTests {
    @Test(arguments: ImageGoldens.names("resize."))
    func equalsPillow(name: String) throws {
        let parts = name.split(separator: ".")
        let filter = try #require(Interpolation(rawValue: String(parts[0])))
        let size = parts[1].split(separator: "x").compactMap { Int($0) }
        let image = Resampler().resize(
            try ImageGoldens.source(), width: size[0], height: size[1], filter: filter)
        let difference = Difference(image, try ImageGoldens.image("resize." + name))
        #expect(difference.largest == 0, "\(difference)")
    }

    @Test(arguments: Interpolation.allCases)
    func aPartEqualsPillowsCropAndResize(filter: Interpolation) throws {
        let image = try ImageGoldens.source().withView { view in
            RGBImage(width: 24, height: 28) {
                Resampler().resize(
                    view.cropped(to: PixelBox(x: 7, y: 5, width: 40, height: 33)), width: 24, height: 28,
                    filter: filter, into: $0)
            }
        }
        #expect(try image == ImageGoldens.image("crop." + filter.rawValue))
    }

    @Test(arguments: [(80, 66), (61, 20), (33, 47), (20, 15)])
    func aWindowIsAPartOfTheWhole(width: Int, height: Int) throws {
        let source = try ImageGoldens.source()
        let resampler = Resampler()
        let whole = resampler.resize(source, width: width, height: height, filter: .bicubic)
        let window = PixelBox(x: 5, y: 3, width: 11, height: 10)
        let part = source.withView { view in
            RGBImage(width: window.width, height: window.height) {
                resampler.resize(view, width: width, height: height, filter: .bicubic, window: window, into: $0)
            }
        }
        for y in 0..<window.height {
            let row = ((y + window.y) * width + window.x) * 3
            let expected = Array(whole.pixels[row..<(row + window.width * 3)])
            #expect(Array(part.pixels[(y * window.width * 3)..<((y + 1) * window.width * 3)]) == expected)
        }
    }

    @Test func flatColoursStayFlat() {
        for value: UInt8 in [0, 1, 128, 255] {
            let flat = RGBImage(width: 9, height: 7, pixels: [UInt8](repeating: value, count: 9 * 7 * 3))
            for filter in Interpolation.allCases {
                let image = Resampler().resize(flat, width: 31, height: 5, filter: filter)
                #expect(image.pixels.allSatisfy { $0 == value })
            }
        }
    }
}
