import Foundation

/// A mark on an axis: where, and what stands beside it.
public struct Tick: Sendable, Hashable {
    public var value: Double
    public var label: String

    public init(_ value: Double, _ label: String) {
        self.value = value
        self.label = label
    }
}

/// Which values an axis names.
public enum Ticks {
    /// Multiples of 1, 2 or 5 times a power of ten inside a range, at most `count` of them (and at least the finest
    /// such step's), ascending.
    public static func linear(_ range: ClosedRange<Double>, count: Int) -> [Tick] {
        let span = range.upperBound - range.lowerBound
        guard span > 0, span.isFinite, count > 0 else { return [Tick(range.lowerBound, label(range.lowerBound))] }
        var exponent = Int(log10(span / Double(count)).rounded(.down)) - 1
        while true {
            for factor in [1.0, 2, 5] {
                let step = factor * pow(10, Double(exponent))
                let first = (range.lowerBound / step - 1e-9).rounded(.up)
                let last = (range.upperBound / step + 1e-9).rounded(.down)
                guard last - first < Double(count) else { continue }
                guard last >= first else { return [] }
                return (Int(first)...Int(last)).map { Tick(Double($0) * step, label(Double($0) * step, step: step)) }
            }
            exponent += 1
        }
    }

    /// The ticks of a logarithmic axis, at most `count` of them: 1, 2 and 5 in every decade if they fit, else powers of
    /// ten, else every second, third, ... power of ten. A range without a power of ten is treated as a linear one.
    public static func logarithmic(_ range: ClosedRange<Double>, count: Int) -> [Tick] {
        precondition(range.lowerBound > 0, "a logarithmic axis has no place for \(range.lowerBound)")
        let inside = range.lowerBound * (1 - 1e-9)...range.upperBound * (1 + 1e-9)
        func values(_ factors: [Double], every step: Int) -> [Double] {
            decades(range).filter { $0.isMultiple(of: step) }.flatMap { multiples(factors, of: $0) }
                .filter { inside.contains($0) }
        }
        var chosen = values([1, 2, 5], every: 1)
        if chosen.count > count {
            var step = 1
            repeat {
                chosen = values([1], every: step)
                step += 1
            } while chosen.count > max(count, 1)
        }
        if chosen.count < 2 {
            let linear = linear(range, count: count)
            if linear.count > chosen.count { return linear.filter { $0.value > 0 } }
        }
        let isPlain = chosen.allSatisfy { $0 >= 0.00099 && $0 < 1e6 }
        return chosen.map { Tick($0, isPlain ? label($0) : power($0)) }
    }

    /// The values between the ticks of a logarithmic axis that get a short mark without a label: 2 ... 9 in each decade.
    public static func minor(_ range: ClosedRange<Double>) -> [Double] {
        precondition(range.lowerBound > 0)
        let decades = decades(range)
        guard decades.count <= 8 else { return [] }
        return decades.flatMap { multiples([2, 3, 4, 5, 6, 7, 8, 9], of: $0) }.filter { range.contains($0) }
    }

    /// The exponents of ten around a range.
    private static func decades(_ range: ClosedRange<Double>) -> ClosedRange<Int> {
        Int(log10(range.lowerBound).rounded(.down))...Int(log10(range.upperBound).rounded(.up))
    }

    private static func multiples(_ factors: [Double], of exponent: Int) -> [Double] {
        let power = pow(10, Double(exponent))
        return factors.map { $0 * power }
    }

    /// A number beside an axis: with the decimals that a step needs, a true minus sign, and as a power of ten where it
    /// would be long.
    public static func label(_ value: Double, step: Double? = nil) -> String {
        let size = abs(value)
        if size != 0, size >= 1e6 || size < 1e-4 { return power(value) }
        var decimals = 0
        if let step {
            decimals = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
        } else if size != 0 {
            // As many as the number has, up to three significant digits below one.
            decimals = size >= 100 ? 0 : max(0, 2 - Int(log10(size).rounded(.down)))
        }
        var text = String(format: "%.\(decimals)f", size)
        if step == nil, text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return value < 0 && Double(text) != 0 ? "\u{2212}" + text : text
    }

    /// `10⁶`, `2×10⁻⁵`
    private static func power(_ value: Double) -> String {
        let size = abs(value)
        var exponent = Int(log10(size).rounded(.down))
        var factor = (size / pow(10, Double(exponent)) * 100).rounded() / 100
        if factor >= 10 { (factor, exponent) = (1, exponent + 1) }
        let superscripts = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        let digits = String(abs(exponent)).map { String(superscripts[$0.wholeNumberValue!]) }.joined()
        let ten = "10" + (exponent < 0 ? "⁻" : "") + digits
        return (value < 0 ? "\u{2212}" : "") + (factor == 1 ? ten : label(factor) + "×" + ten)
    }
}
