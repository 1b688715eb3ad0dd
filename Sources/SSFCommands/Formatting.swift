import Foundation

/// How numbers are shown to people. Never affected by the machine's language.
public enum Formatting {
    /// `12.3`
    public static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        return String(format: "%.\(digits)f", value)
    }

    /// `4.1e-03`
    public static func scientific(_ value: Double) -> String { String(format: "%.1e", value) }

    /// At most four digits that say something: `0.0125`, `5e-05`.
    public static func significant(_ value: Double) -> String { String(format: "%.4g", value) }

    /// A part in 0...1 as percent: `61.2`.
    public static func percent(_ part: Double, _ digits: Int = 1) -> String { fixed(100 * part, digits) }

    /// `0.28M`, `53.4k`, `386`
    public static func count(_ value: Int) -> String {
        switch value {
        case 100_000...: fixed(Double(value) / 1e6, value >= 10_000_000 ? 1 : 2) + "M"
        case 10_000...: fixed(Double(value) / 1e3, 1) + "k"
        default: String(value)
        }
    }

    /// With separators of thousands: `282,724`.
    public static func grouped(_ value: Int) -> String {
        var digits = String(abs(value))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// `1 epoch`, `3 epochs`
    public static func counted(_ value: Int, _ noun: String) -> String { "\(value) \(noun)\(value == 1 ? "" : "s")" }

    /// A loss: with decimals as long as they say something, `0.731` or `1.2e+09`.
    public static func loss(_ value: Double, _ digits: Int = 3) -> String {
        abs(value) < 1e5 || !value.isFinite ? fixed(value, digits) : scientific(value)
    }

    /// `00:07:12`
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "--:--:--" }
        let total = max(0, Int(seconds.rounded()))
        return String(format: "%02d:%02d:%02d", total / 3600, total / 60 % 60, total % 60)
    }

    /// `412 MB`
    public static func bytes(_ count: Int) -> String {
        switch count {
        case 1_000_000_000...: fixed(Double(count) / 1e9, 1) + " GB"
        case 1_000_000...: fixed(Double(count) / 1e6, 0) + " MB"
        default: fixed(Double(count) / 1e3, 0) + " kB"
        }
    }
}
