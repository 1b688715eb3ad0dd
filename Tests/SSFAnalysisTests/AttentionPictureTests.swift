import SSFAnalysis
import Testing

@Suite struct AttentionPictureTests {
    private let map = AttentionMap([0, 1, 2, 3], rows: 2, columns: 2)

    private func pixel(_ bytes: [UInt8], _ x: Int, _ y: Int, width: Int) -> [UInt8] {
        Array(bytes[(y * width + x) * 3..<(y * width + x) * 3 + 3])
    }

    private func color(_ part: Double) -> [UInt8] {
        let color = ColorMap.sequential.color((255 * part).rounded() / 255)
        return [color.red, color.green, color.blue].map { UInt8((255 * $0).rounded()) }
    }

    @Test func everyPatchCoversItsPixels() {
        let picture = AttentionPicture(
            map, region: ImageRegion(x: 0, y: 0, width: 8, height: 4), interpolation: .nearest)
        let bytes = picture.alone(width: 8, height: 4)
        for y in 0..<4 {
            for x in 0..<8 {
                #expect(pixel(bytes, x, y, width: 8) == color(Double(y / 2 * 2 + x / 4) / 3), "\(x), \(y)")
            }
        }
    }

    @Test func patchesLieWhereTheModelSawThem() {
        // The middle of a wide image: two patches of four pixels each, with two unseen columns on either side.
        let region = ImageRegion(x: 2, y: 0, width: 8, height: 8)
        let bytes = AttentionPicture(map, region: region, interpolation: .nearest).alone(width: 12, height: 8)
        #expect(pixel(bytes, 1, 0, width: 12) == [0, 0, 0] && pixel(bytes, 10, 7, width: 12) == [0, 0, 0])
        #expect(pixel(bytes, 2, 0, width: 12) == color(0) && pixel(bytes, 5, 3, width: 12) == color(0))
        #expect(pixel(bytes, 6, 0, width: 12) == color(1 / 3.0) && pixel(bytes, 9, 3, width: 12) == color(1 / 3.0))
        #expect(pixel(bytes, 9, 4, width: 12) == color(1))
    }

    @Test func betweenTheMiddlesOfPatchesValuesAreBlended() {
        let bytes = AttentionPicture(
            map, region: ImageRegion(x: 0, y: 0, width: 8, height: 8)
        ).alone(width: 8, height: 8)
        // Pixel 0 lies outside of the first middle (at 2), pixel 2 a quarter of a pixel's patch behind it.
        #expect(pixel(bytes, 0, 0, width: 8) == color(0))
        #expect(pixel(bytes, 2, 0, width: 8) == color(0.125 / 3))
        #expect(pixel(bytes, 3, 4, width: 8) == color((0.375 + 2 * 0.625) / 3))
        #expect(pixel(bytes, 7, 7, width: 8) == color(1))
    }

    @Test func anOverlayShowsBothAndDarkensWhatWasNotSeen() {
        let image = [UInt8](repeating: 200, count: 4 * 2 * 3)
        let picture = AttentionPicture(
            map, region: ImageRegion(x: 0, y: 0, width: 2, height: 2), interpolation: .nearest)
        let bytes = picture.overlay(on: image, width: 4, height: 2)
        let expected = color(0).map { UInt8(0.6 * Double($0) + 0.4 * 200 + 0.5) }
        #expect(pixel(bytes, 0, 0, width: 4) == expected)
        #expect(pixel(bytes, 3, 1, width: 4) == [70, 70, 70])
    }

    @Test func theGreatestMayShareTheLastColor() {
        #expect(map.range(above: 0) == 0...3 && map.range(above: 0.25) == 0...2 && map.range(above: 0.99) == 0...0)
        let bytes = AttentionPicture(
            map, region: ImageRegion(x: 0, y: 0, width: 2, height: 2), interpolation: .nearest,
            range: map.range(above: 0.25)
        ).alone(width: 2, height: 2)
        #expect(pixel(bytes, 1, 0, width: 2) == color(0.5))
        #expect(pixel(bytes, 0, 1, width: 2) == color(1) && pixel(bytes, 1, 1, width: 2) == color(1))
    }

    @Test func aMapWithoutDifferencesHasOneColor() {
        let flat = AttentionMap([0.25, 0.25, 0.25, 0.25], rows: 2, columns: 2)
        let bytes = AttentionPicture(
            flat, region: ImageRegion(x: 0, y: 0, width: 3, height: 3)
        ).alone(width: 3, height: 3)
        #expect(Set((0..<9).map { pixel(bytes, $0 % 3, $0 / 3, width: 3) }) == [color(0)])
    }

    @Test func aRegionThatPassesTheEdgesIsDrawnAsFarAsThereIsAnImage() {
        let picture = AttentionPicture(
            map, region: ImageRegion(x: -2, y: -2, width: 8, height: 8), interpolation: .nearest)
        let bytes = picture.alone(width: 4, height: 4)
        #expect(pixel(bytes, 0, 0, width: 4) == color(0) && pixel(bytes, 1, 1, width: 4) == color(0))
        #expect(pixel(bytes, 2, 0, width: 4) == color(1 / 3.0) && pixel(bytes, 3, 3, width: 4) == color(1))
    }
}
