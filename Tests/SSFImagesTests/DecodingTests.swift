import Foundation
import SSFImages
import SSFTensors
import SSFTestSupport
import Testing

@Suite struct DecodingTests {
    @Test(arguments: ImageGoldens.names("decode.").filter { $0.hasSuffix(".png") })
    func pngEqualsPillow(file: String) throws {
        let image = try ImageDecoder().decode(path: ImageGoldens.path(file))
        let difference = Difference(image, try ImageGoldens.image("decode." + file))
        // 16 bits are scaled by libpng in integers: the nearest byte, always.
        #expect(difference.largest == 0, "\(difference)")
    }

    @Test(arguments: ImageGoldens.names("decode.").filter { $0.hasSuffix(".jpg") })
    func jpegEqualsPillow(file: String) throws {
        let image = try ImageDecoder().decode(path: ImageGoldens.path(file))
        let difference = Difference(image, try ImageGoldens.image("decode." + file))
        // The integer transform is exact in every version of libjpeg-turbo; its rounding of smooth chroma is allowed to
        // differ by one between versions.
        #expect(difference.largest <= 1 && difference.part < 0.01, "\(difference)")
    }

    @Test(arguments: ImageGoldens.names("upright."))
    func orientationIsApplied(file: String) throws {
        let upright = try ImageDecoder(orientation: .apply).decode(path: ImageGoldens.path(file))
        let difference = Difference(upright, try ImageGoldens.image("upright." + file))
        #expect(difference.largest <= 1, "\(difference)")
        let found = ImageDecoder.orientation(path: ImageGoldens.path(file))?.rawValue ?? 1
        #expect(file.contains("orientation\(found)."))
    }

    @Test func formatsAreToldByContent() throws {
        func format(_ bytes: [UInt8]) -> ImageFormat? { bytes.withUnsafeBytes { ImageFormat($0) } }
        #expect(format(try ImageGoldens.bytes("rgb.png")) == .png)
        #expect(format(try ImageGoldens.bytes("420.jpg")) == .jpeg)
        #expect(format(Array("RIFF\u{1}\u{2}\u{3}\u{4}WEBPVP8 ".utf8)) == .webP)
        #expect(format([0, 0, 0, 24] + Array("ftypheic".utf8) + [0, 0, 0, 0]) == .heic)
        #expect(format([0, 0, 0, 24] + Array("ftypavif".utf8) + [0, 0, 0, 0]) == .avif)
        #expect(format(Array("GIF89a".utf8)) == .gif)
        #expect(format(Array("BM".utf8) + [UInt8](repeating: 0, count: 20)) == .bmp)
        #expect(format([0x49, 0x49, 0x2A, 0]) == .tiff)
        #expect(format(Array("hello, this is text".utf8)) == nil)
        #expect(format([]) == nil)
        #expect(format([0x89]) == nil)
    }

    @Test func aPNGUnderAJPEGsNameIsRead() throws {
        let folder = try TemporaryFolder()
        try Data(ImageGoldens.bytes("rgb.png")).write(to: URL(filePath: folder.file("photo.jpg")))
        let image = try ImageDecoder().decode(path: folder.file("photo.jpg"))
        #expect(try image == ImageGoldens.image("decode.rgb.png"))
    }

    @Test func otherFormatsAreNamedWithWhatToDo() throws {
        let webP = Array("RIFF\u{1}\u{2}\u{3}\u{4}WEBPVP8 ".utf8)
        let heic: [UInt8] = [0, 0, 0, 24] + Array("ftypheic".utf8) + [0, 0, 0, 0]
        for (bytes, name, tool) in [(webP, "WebP", "dwebp cat.jpg -o cat.png"), (heic, "HEIC", "heif-convert")] {
            let error = bytes.withUnsafeBytes { refusal($0, name: "pets/cat.jpg") }
            #expect(error?.what.contains("pets/cat.jpg") == true && error?.what.contains(name) == true)
            #expect(error?.remedy?.contains(tool) == true)
        }
    }

    @Test func missingFilesAndFoldersAreErrors() throws {
        let folder = try TemporaryFolder()
        for path in [folder.file("none.png"), folder.path] {
            let error = #expect(throws: UserError.self) { try ImageDecoder().decode(path: path) }
            #expect(error?.what.contains(path) == true)
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func aNamedPipeIsAnError() throws {
        let folder = try TemporaryFolder()
        try #require(mkfifo(folder.file("pipe.png"), 0o600) == 0)
        let error = #expect(throws: UserError.self) { try ImageDecoder().decode(path: folder.file("pipe.png")) }
        #expect(error?.what.contains("pipe.png is not a file") == true)
    }

    @Test func encodedImagesComeBack() throws {
        let image = try ImageGoldens.image("decode.rgb.png")
        let again = try PNG.encode(image).withUnsafeBytes { try ImageDecoder().decode($0, name: "encoded") }
        #expect(again == image)
    }

    // MARK: Hostile input

    /// The error of decoding, nil if there is none.
    private func refusal(_ bytes: UnsafeRawBufferPointer, name: String, pixelLimit: Int = 1 << 20) -> UserError? {
        do {
            _ = try ImageDecoder(orientation: .apply, pixelLimit: pixelLimit).decode(bytes, name: name)
            return nil
        } catch {
            return error as? UserError ?? UserError("another error: \(error)")
        }
    }

    /// Files of every kind, small enough to be cut at every byte.
    static let victims = [
        "rgb.png", "palette.png", "alpha16.png", "grey1.png", "orientation6.png", "420.jpg", "progressive.jpg",
        "ycck.jpg", "orientation6.jpg",
    ]

    @Test(arguments: victims)
    func truncatedFilesAreErrors(file: String) throws {
        let whole = try ImageGoldens.bytes(file)
        // Without the last bytes the pixels may be complete: PNG's IEND chunk, JPEG's end marker.
        for length in stride(from: 0, to: whole.count - 16, by: 7) {
            let error = whole[..<length].withUnsafeBytes { refusal($0, name: "cut.bin") }
            #expect(error?.what.contains("cut.bin") == true, "\(length) of \(whole.count) bytes")
        }
    }

    @Test(arguments: victims)
    func damagedFilesDoNotCrash(file: String) throws {
        let whole = try ImageGoldens.bytes(file)
        var random = RandomGenerator(seed: 7, stream: file)
        var read = 0
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<(1 + Int(random.next() % 8)) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if let error = bytes.withUnsafeBytes({ refusal($0, name: "damaged") }) {
                #expect(error.what.contains("damaged"))
            } else {
                read += 1
            }
        }
        // Flipped bytes in a PNG's data fail its checksums.
        if file.hasSuffix(".png") { #expect(read < 150) }
    }

    @Test func impossibleSizesAreRefusedBeforeMemoryIsTaken() throws {
        for (width, height) in [(0, 5), (5, 0), (0x7FFF_FFFF, 0x7FFF_FFFF), (100_000, 100_000)] {
            var png = try ImageGoldens.bytes("rgb.png")
            for i in 0..<4 {
                png[16 + i] = UInt8(width >> (24 - 8 * i) & 255)
                png[20 + i] = UInt8(height >> (24 - 8 * i) & 255)
            }
            let error = png.withUnsafeBytes { refusal($0, name: "bomb.png") }
            #expect(error?.found?.contains("\(width)x\(height)") == true)
        }
        var jpeg = try ImageGoldens.bytes("420.jpg")
        // The frame header: FF C0, length, precision, then height and width.
        let frame = try #require(jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        for i in 5..<9 { jpeg[frame + i] = 0xFF }
        let error = jpeg.withUnsafeBytes { refusal($0, name: "bomb.jpg") }
        #expect(error?.what.contains("bomb.jpg") == true)
    }

    @Test func theLimitIsInPixels() throws {
        let bytes = try ImageGoldens.bytes("rgb.png")  // 37 x 29 = 1073 pixels
        #expect(try bytes.withUnsafeBytes { try ImageDecoder(pixelLimit: 1073).decode($0, name: "a") }.width == 37)
        #expect(bytes.withUnsafeBytes { refusal($0, name: "a", pixelLimit: 1072) } != nil)
    }
}
