/// A colour in sRGB, each part in 0...1.
public struct Color: Sendable, Hashable {
    public var red: Double
    public var green: Double
    public var blue: Double
    /// 1 covers what is below, 0 shows it.
    public var opacity: Double

    public init(red: Double, green: Double, blue: Double, opacity: Double = 1) {
        (self.red, self.green, self.blue, self.opacity) = (red, green, blue, opacity)
    }

    /// `0xE69F00`: red, green and blue in 8 bits each.
    public init(hex: UInt32) {
        self.init(
            red: Double(hex >> 16 & 0xFF) / 255, green: Double(hex >> 8 & 0xFF) / 255, blue: Double(hex & 0xFF) / 255)
    }

    /// The same colour, partly transparent.
    public func withOpacity(_ opacity: Double) -> Color {
        Color(red: red, green: green, blue: blue, opacity: opacity)
    }

    public static let black = Color(hex: 0x000000)
    public static let white = Color(hex: 0xFFFFFF)
    /// Of the letters on an axis: softer than black beside the data.
    public static let ink = Color(hex: 0x262626)
    /// Of what explains: captions, lines from a label to its point.
    public static let muted = Color(hex: 0x666666)
    /// Of grid lines.
    public static let grid = Color(hex: 0xE3E3E3)
}

/// Colours that tell series apart.
///
/// The eight of Okabe and Ito ("Color Universal Design", 2008), which people with the usual kinds of colour blindness
/// tell apart as well, those first that stand out on white. Where there are more series than colours, they are taken
/// again, and the shapes of the points (`PointShape.series`) go on being different.
public enum Palette {
    public static let blue = Color(hex: 0x0072B2)
    public static let vermilion = Color(hex: 0xD55E00)
    public static let green = Color(hex: 0x009E73)
    public static let purple = Color(hex: 0xCC79A7)
    public static let orange = Color(hex: 0xE69F00)
    public static let sky = Color(hex: 0x56B4E9)
    public static let black = Color(hex: 0x000000)
    public static let yellow = Color(hex: 0xF0E442)

    public static let colors = [blue, vermilion, green, purple, orange, sky, black, yellow]

    /// The colour of the series with a number, from 0.
    public static func color(_ series: Int) -> Color { colors[series % colors.count] }
}
