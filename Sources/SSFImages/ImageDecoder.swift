import Foundation
import SSFTensors

/// What to do with the orientation that a camera wrote into a photograph.
public enum OrientationPolicy: String, Sendable, CaseIterable, Codable {
    /// Pixels as they are stored, as Pillow and every published benchmark read them.
    case ignore
    /// Turned and mirrored so that up is up.
    case apply
}

/// Decodes image files to `RGBImage`, the way Pillow's `convert('RGB')` does.
public struct ImageDecoder: Sendable {
    public var orientation: OrientationPolicy
    /// Images with more pixels than this are refused before any memory is taken for them: a file of a few kilobytes can
    /// claim billions. The default is the size at which Pillow warns of a decompression bomb.
    public var pixelLimit: Int

    public static let defaultPixelLimit = 89_478_485
    /// A compressed file larger than this is not an image that anybody trains on.
    static let fileSizeLimit = 1 << 30

    public init(orientation: OrientationPolicy = .ignore, pixelLimit: Int = ImageDecoder.defaultPixelLimit) {
        self.orientation = orientation
        self.pixelLimit = pixelLimit
    }

    /// Reads and decodes a file.
    ///
    /// - Throws: `UserError` naming the file, if it cannot be read, is not a PNG or JPEG image, is damaged or too large.
    public func decode(path: String) throws -> RGBImage {
        let bytes = try ImageDecoder.read(path)
        return try bytes.withUnsafeBytes { try decode($0, name: path) }
    }

    /// Decodes the bytes of a file; `name` is what errors call it.
    public func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> RGBImage {
        guard bytes.count > 0 else {
            throw UserError("\(name) is empty", expected: "a PNG or JPEG image", found: "0 bytes")
        }
        guard let format = ImageFormat(bytes) else {
            let start = bytes.prefix(8).map { String($0, radix: 16) }.map { $0.count < 2 ? "0" + $0 : $0 }
            throw UserError(
                "\(name) is not an image", expected: "a PNG or JPEG image",
                found: "\(bytes.count) bytes that begin \(start.joined(separator: " "))",
                remedy: "remove the file, or leave it out with --skip-bad-images")
        }
        let image: RGBImage
        switch format {
        case .png: image = try PNG.decode(bytes, name: name, pixelLimit: pixelLimit)
        case .jpeg: image = try JPEG.decode(bytes, name: name, pixelLimit: pixelLimit)
        default:
            throw UserError(
                "\(name) is a \(format.rawValue) image, which cannot be read", expected: "PNG or JPEG",
                found: format.rawValue, remedy: ImageDecoder.conversion(of: format, name: name))
        }
        guard orientation == .apply, let stored = Orientation(bytes, format: format) else { return image }
        return stored.upright(image)
    }

    /// The orientation other than upright that an image file carries, if any; nil also for what cannot be read.
    public static func orientation(path: String) -> Orientation? {
        guard let bytes = try? read(path) else { return nil }
        return bytes.withUnsafeBytes { buffer in
            ImageFormat(buffer).flatMap { Orientation(buffer, format: $0) }
        }
    }

    /// Checks a size that a header claims.
    static func check(width: Int, height: Int, limit: Int, name: String) throws {
        guard width > 0 && height > 0 else {
            throw UserError("\(name) has no pixels", expected: "a positive size", found: "\(width)x\(height)")
        }
        guard width <= limit / height else {
            throw UserError(
                "\(name) is too large to decode", expected: "\(limit) pixels or fewer", found: "\(width)x\(height)",
                remedy: "scale the image down first")
        }
    }

    private static func conversion(of format: ImageFormat, name: String) -> String {
        let stem = name.split(separator: "/").last.map(String.init) ?? name
        let target = (stem.split(separator: ".").dropLast().joined(separator: ".").nonEmpty ?? stem) + ".png"
        switch format {
        case .webP: return "convert it: dwebp \(stem) -o \(target)"
        case .heic, .avif: return "convert it: heif-convert \(stem) \(target)"
        default: return "convert it: convert \(stem) \(target) (ImageMagick)"
        }
    }

    /// The bytes of a regular file.
    static func read(_ path: String) throws -> [UInt8] {
        // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw UserError("\(path) cannot be opened", found: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw UserError("\(path) is not a file", expected: "an image file")
        }
        let size = Int(status.st_size)
        guard size <= fileSizeLimit else {
            throw UserError("\(path) is too large", expected: "at most \(fileSizeLimit) bytes", found: "\(size) bytes")
        }
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Foundation.read(descriptor, buffer.baseAddress! + count, size - count)
                if got < 0 && errno == EINTR { continue }
                guard got >= 0 else {
                    throw UserError("\(path) cannot be read", found: String(cString: strerror(errno)))
                }
                if got == 0 { break }
                count += got
            }
        }
    }
}

extension String {
    /// The string, or nil if it is empty.
    var nonEmpty: String? { isEmpty ? nil : self }
}
