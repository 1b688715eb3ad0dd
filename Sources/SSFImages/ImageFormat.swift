/// What kind of image some bytes are, told by their first bytes and never by a file's name.
public enum ImageFormat: String, Sendable, CaseIterable {
    case png = "PNG"
    case jpeg = "JPEG"
    case webP = "WebP"
    case heic = "HEIC"
    case avif = "AVIF"
    case gif = "GIF"
    case bmp = "BMP"
    case tiff = "TIFF"
    case jpegXL = "JPEG XL"
    case jpeg2000 = "JPEG 2000"

    /// How many leading bytes `init(_:)` looks at.
    package static let headerLength = 16

    /// Recognises a format, or gives nil for anything that is not a known image.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        func starts(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + prefix.count && zip(bytes[offset...], prefix).allSatisfy { $0 == $1 }
        }
        func starts(_ prefix: String, at offset: Int = 0) -> Bool { starts(Array(prefix.utf8), at: offset) }
        if starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if starts([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if starts("RIFF") && starts("WEBP", at: 8) {
            self = .webP
        } else if starts("ftyp", at: 4) {
            // An ISO media file: the major brand says whether it is a still image.
            if ["avif", "avis"].contains(where: { starts($0, at: 8) }) {
                self = .avif
            } else if ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"].contains(where: {
                starts($0, at: 8)
            }) {
                self = .heic
            } else {
                return nil
            }
        } else if starts("GIF8") {
            self = .gif
        } else if starts("BM") && bytes.count >= 14 && starts([0, 0, 0, 0], at: 6) {
            self = .bmp
        } else if starts([0x49, 0x49, 0x2A, 0]) || starts([0x4D, 0x4D, 0, 0x2A]) {
            self = .tiff
        } else if starts([0xFF, 0x0A]) || starts([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20]) {
            self = .jpegXL
        } else if starts([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20]) || starts([0xFF, 0x4F, 0xFF, 0x51]) {
            self = .jpeg2000
        } else {
            return nil
        }
    }

    /// Whether this program decodes the format.
    public var isSupported: Bool { self == .png || self == .jpeg }

    /// File name extensions, lower case, of anything that a person would call an image: files with these names in a
    /// class folder are meant as images, so that one that cannot be read is an error and not skipped.
    package static let fileExtensions: Set<String> = [
        "png", "jpg", "jpeg", "jpe", "jfif", "webp", "heic", "heif", "avif", "gif", "bmp", "tif", "tiff", "jxl", "jp2",
    ]
}
