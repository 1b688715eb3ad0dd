import CCairo

/// How text looks.
struct TextStyle: Hashable {
    /// In points.
    var size: Double
    var isBold = false
    var color = Color.ink
}

/// Drawing by Cairo: lengths in points of 1/72 inch, the origin at the top left, y downwards.
///
/// Text is measured without hinting, so that every format has the same layout.
final class Canvas {
    /// DejaVu Sans has every sign that the figures use; where it is missing, fontconfig takes its nearest.
    private static let fontFamily = "DejaVu Sans"

    private let context: OpaquePointer

    /// Draws on a surface of Cairo; the surface stays the caller's.
    init(surface: OpaquePointer, scale: Double = 1) {
        context = cairo_create(surface)
        cairo_scale(context, scale, scale)
        let options = cairo_font_options_create()
        cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
        cairo_set_font_options(context, options)
        cairo_font_options_destroy(options)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    }

    deinit {
        cairo_destroy(context)
    }

    /// Runs `body` on a canvas that nobody sees, to measure text.
    static func measuring<Result>(_ body: (Canvas) -> Result) -> Result {
        let surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1)!
        defer { cairo_surface_destroy(surface) }
        return body(Canvas(surface: surface))
    }

    // MARK: - Lines and areas

    /// A line through places. A dash is a list of lengths, drawn and left out in turn.
    func line(_ places: [Location], color: Color, width: Double, dash: [Double] = []) {
        guard let first = places.first else { return }
        set(color)
        cairo_set_line_width(context, width)
        cairo_set_line_cap(context, dash.isEmpty ? CAIRO_LINE_CAP_ROUND : CAIRO_LINE_CAP_BUTT)
        cairo_set_dash(context, dash, CInt(dash.count), 0)
        cairo_new_path(context)
        cairo_move_to(context, first.x, first.y)
        for place in places.dropFirst() { cairo_line_to(context, place.x, place.y) }
        cairo_stroke(context)
    }

    /// A closed shape, filled and, if asked for, outlined.
    func polygon(_ places: [Location], fill: Color, outline: Color? = nil, width: Double = 0.5) {
        guard let first = places.first else { return }
        cairo_new_path(context)
        cairo_move_to(context, first.x, first.y)
        for place in places.dropFirst() { cairo_line_to(context, place.x, place.y) }
        cairo_close_path(context)
        paintPath(fill: fill, outline: outline, width: width)
    }

    func circle(_ center: Location, radius: Double, fill: Color, outline: Color? = nil, width: Double = 0.5) {
        cairo_new_path(context)
        cairo_arc(context, center.x, center.y, radius, 0, 2 * .pi)
        paintPath(fill: fill, outline: outline, width: width)
    }

    func rectangle(_ area: Rectangle, fill: Color? = nil, outline: Color? = nil, width: Double = 0.5) {
        cairo_new_path(context)
        cairo_rectangle(context, area.x, area.y, area.width, area.height)
        paintPath(fill: fill, outline: outline, width: width)
    }

    private func paintPath(fill: Color?, outline: Color?, width: Double) {
        if let fill {
            set(fill)
            cairo_fill_preserve(context)
        }
        if let outline {
            set(outline)
            cairo_set_line_width(context, width)
            cairo_set_dash(context, nil, 0, 0)
            cairo_stroke_preserve(context)
        }
        cairo_new_path(context)
    }

    /// Fills an area with `width` x `height` pixels, 0xRRGGBB, rows from the top; `isSmooth` blends between them.
    func image(_ pixels: [UInt32], width: Int, height: Int, in area: Rectangle, isSmooth: Bool) {
        precondition(pixels.count == width * height && width > 0 && height > 0)
        let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, CInt(width), CInt(height))!
        defer { cairo_surface_destroy(surface) }
        let stride = Int(cairo_image_surface_get_stride(surface))
        let rows = UnsafeMutableRawPointer(cairo_image_surface_get_data(surface)!)
        for y in 0..<height {
            for x in 0..<width {
                (rows + y * stride).storeBytes(of: pixels[y * width + x], toByteOffset: 4 * x, as: UInt32.self)
            }
        }
        cairo_surface_mark_dirty(surface)
        cairo_save(context)
        cairo_translate(context, area.x, area.y)
        cairo_scale(context, area.width / Double(width), area.height / Double(height))
        cairo_set_source_surface(context, surface, 0, 0)
        cairo_pattern_set_filter(cairo_get_source(context), isSmooth ? CAIRO_FILTER_GOOD : CAIRO_FILTER_NEAREST)
        // Without this the edges are blended with what lies outside of the image, which is nothing.
        cairo_pattern_set_extend(cairo_get_source(context), CAIRO_EXTEND_PAD)
        cairo_rectangle(context, 0, 0, Double(width), Double(height))
        cairo_fill(context)
        cairo_restore(context)
    }

    /// Everything that `body` draws is cut off at the edges of an area.
    func clipped(to area: Rectangle, _ body: () -> Void) {
        cairo_save(context)
        cairo_rectangle(context, area.x, area.y, area.width, area.height)
        cairo_clip(context)
        body()
        cairo_restore(context)
    }

    // MARK: - Text

    /// The width of a line of text.
    func width(_ text: String, _ style: TextStyle) -> Double {
        select(style)
        var extents = cairo_text_extents_t()
        cairo_text_extents(context, text, &extents)
        return extents.x_advance
    }

    /// The height of a line, from the top of the tallest letter to the bottom of the lowest; the same for every text.
    func height(_ style: TextStyle) -> Double { ascent(style) + descent(style) }

    private func ascent(_ style: TextStyle) -> Double { 0.76 * style.size }
    private func descent(_ style: TextStyle) -> Double { 0.24 * style.size }

    /// A line of text.
    ///
    /// - Parameters:
    ///   - place: a point of the text's box: the part `horizontal` of its width (0 left, 1 right) and `vertical` of its
    ///     height (0 top, 1 bottom).
    ///   - turns: quarter turns to the left, about the place.
    ///   - ground: a colour behind the letters, which keeps them readable on lines.
    func text(
        _ text: String, at place: Location, horizontal: Double = 0, vertical: Double = 0, _ style: TextStyle,
        turns: Int = 0, ground: Color? = nil
    ) {
        select(style)
        cairo_save(context)
        cairo_translate(context, place.x, place.y)
        cairo_rotate(context, -.pi / 2 * Double(turns))
        let x = -horizontal * width(text, style)
        let y = ascent(style) - vertical * height(style)
        if let ground {
            // From the top of the capitals to below the base line.
            rectangle(
                Rectangle(x: x - 1, y: y - 0.8 * style.size, width: width(text, style) + 2, height: style.size),
                fill: ground)
        }
        set(style.color)
        cairo_move_to(context, x, y)
        cairo_show_text(context, text)
        cairo_new_path(context)
        cairo_restore(context)
    }

    private func select(_ style: TextStyle) {
        cairo_select_font_face(
            context, Self.fontFamily, CAIRO_FONT_SLANT_NORMAL,
            style.isBold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
        cairo_set_font_size(context, style.size)
    }

    private func set(_ color: Color) {
        cairo_set_source_rgba(context, color.red, color.green, color.blue, color.opacity)
    }
}
