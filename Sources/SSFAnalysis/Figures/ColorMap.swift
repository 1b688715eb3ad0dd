/// Colours for numbers.
public enum ColorMap: Sendable, CaseIterable {
    /// Dark blue over green to yellow, evenly lighter; readable without colour and for colour-blind eyes (viridis, by
    /// Smith and van der Walt, as matplotlib has it, at nine places with straight lines between them).
    case sequential
    /// Blue over white to red, for numbers on both sides of a middle (Brewer's RdBu, turned around).
    case diverging

    private var anchors: [UInt32] {
        switch self {
        case .sequential:
            [0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725]
        case .diverging:
            [0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D, 0xB2182B]
        }
    }

    /// The colour of a part, 0 for the least number and 1 for the greatest; beyond them that of the end.
    public func color(_ part: Double) -> Color {
        let anchors = anchors
        let position = min(max(part, 0), 1) * Double(anchors.count - 1)
        let index = min(Int(position), anchors.count - 2)
        let rest = position - Double(index)
        let (a, b) = (Color(hex: anchors[index]), Color(hex: anchors[index + 1]))
        return Color(
            red: a.red + rest * (b.red - a.red), green: a.green + rest * (b.green - a.green),
            blue: a.blue + rest * (b.blue - a.blue))
    }

    /// The same as 0xRRGGBB.
    func pixel(_ part: Double) -> UInt32 {
        let color = color(part)
        func byte(_ part: Double) -> UInt32 { UInt32((255 * part).rounded()) }
        return byte(color.red) << 16 | byte(color.green) << 8 | byte(color.blue)
    }
}

/// The scale beside a panel that says which colour is which number.
public struct ColorBar: Sendable {
    public var map: ColorMap
    public var range: ClosedRange<Double>
    /// What the numbers are.
    public var title: String

    public init(map: ColorMap, range: ClosedRange<Double>, title: String) {
        (self.map, self.range, self.title) = (map, range, title)
    }
}
