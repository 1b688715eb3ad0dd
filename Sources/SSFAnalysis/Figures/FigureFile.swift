import CCairo
import Foundation
import SSFCheckpoints
import SSFTensors

/// Figures as files. The same figure gives the same bytes with the same version of Cairo and the same fonts: no file
/// says when it was made.
public enum FigureFile {
    /// What can be written, by the ending of the file's name.
    public enum Format: String, CaseIterable, Sendable {
        case png, svg, pdf
    }

    /// Writes a figure as its name ends: `.png`, `.svg` or `.pdf`; whole or not at all.
    ///
    /// - Parameter pixelsPerInch: of PNG. A figure that is 504 points wide has 1400 pixels at 200.
    /// - Throws: `UserError` for another ending, and where the file cannot be written.
    public static func write(_ figure: Figure, to path: String, pixelsPerInch: Double = 200) throws {
        let ending = URL(filePath: path).pathExtension
        guard let format = Format(rawValue: ending.lowercased()) else {
            throw UserError(
                "\(path): the figure's format is not known", expected: "a name that ends in .png, .svg or .pdf",
                found: ending.isEmpty ? "no ending" : ".\(ending)")
        }
        try AtomicFile.write(Data(bytes(figure, format, pixelsPerInch: pixelsPerInch)), to: path)
    }

    /// The bytes of such a file.
    public static func bytes(_ figure: Figure, _ format: Format, pixelsPerInch: Double = 200) -> [UInt8] {
        let sink = ByteSink()
        let target = Unmanaged.passUnretained(sink).toOpaque()
        switch format {
        case .png:
            let scale = pixelsPerInch / 72
            let surface = cairo_image_surface_create(
                CAIRO_FORMAT_RGB24, CInt((figure.width * scale).rounded()), CInt((figure.height * scale).rounded()))!
            defer { cairo_surface_destroy(surface) }
            FigureRenderer(figure, canvas: Canvas(surface: surface, scale: scale)).draw()
            cairo_surface_flush(surface)
            let status = cairo_surface_write_to_png_stream(surface, ByteSink.append, target)
            precondition(status == CAIRO_STATUS_SUCCESS, String(cString: cairo_status_to_string(status)))
            return sink.bytes
        case .svg:
            draw(figure, cairo_svg_surface_create_for_stream(ByteSink.append, target, figure.width, figure.height))
            return SVGNames.numberedInOrder(sink.bytes)
        case .pdf:
            let surface = cairo_pdf_surface_create_for_stream(
                ByteSink.append, target, figure.width, figure.height)!
            // Cairo would write the time of day.
            cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z")
            if let title = figure.title { cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, title) }
            draw(figure, surface)
            return sink.bytes
        }
    }

    /// Draws on a surface that writes as it is finished, and gives it back.
    private static func draw(_ figure: Figure, _ surface: OpaquePointer) {
        FigureRenderer(figure, canvas: Canvas(surface: surface)).draw()
        cairo_surface_finish(surface)
        let status = cairo_surface_status(surface)
        precondition(status == CAIRO_STATUS_SUCCESS, String(cString: cairo_status_to_string(status)))
        cairo_surface_destroy(surface)
    }
}

/// Where Cairo's streams end.
private final class ByteSink {
    var bytes: [UInt8] = []

    static let append: cairo_write_func_t = { closure, data, count in
        let sink = Unmanaged<ByteSink>.fromOpaque(closure!).takeUnretainedValue()
        sink.bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(count)))
        return CAIRO_STATUS_SUCCESS
    }
}
