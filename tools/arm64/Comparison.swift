import Musl

/// The unit roundoff of single precision; errors and tolerances are stated in it.
let roundoff = 0x1p-24

/// Numbers for a kernel, off an aligned address, between margins that it must not touch.
final class Floats {
    private static let margin = 32
    private static let canary: UInt32 = 0x7fed_cba9

    private let base: UnsafeMutablePointer<Float>
    private let before: Int
    let count: Int

    init(_ values: [Double], misalignedBy shift: Int = 1) {
        count = values.count
        before = Self.margin + shift
        let capacity = before + count + Self.margin
        base = UnsafeMutableRawPointer.allocate(byteCount: capacity * 4, alignment: 64)
            .bindMemory(to: Float.self, capacity: capacity)
        for i in 0..<capacity { base[i] = Float(bitPattern: Self.canary) }
        for i in 0..<count { base[before + i] = Float(values[i]) }
    }

    /// Pseudo-random numbers.
    convenience init(_ count: Int, seed: UInt64, from low: Double = -1, to high: Double = 1) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
        var values: [Double] = []
        for _ in 0..<count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            values.append(low + (high - low) * Double(state >> 11) * 0x1p-53)
        }
        self.init(values)
    }

    deinit { base.deallocate() }

    var pointer: UnsafeMutablePointer<Float> { base + before }
    var buffer: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }
    var values: [Double] { (0..<count).map { Double(pointer[$0]) } }

    /// Whether the margins are as they were.
    var isIntact: Bool {
        for i in 0..<before where base[i].bitPattern != Self.canary { return false }
        for i in 0..<Self.margin where base[before + count + i].bitPattern != Self.canary { return false }
        return true
    }
}

/// Collects the greatest error of a kernel over its cases, and says it.
struct Comparison {
    let name: String
    /// In units of the roundoff times the magnitude that goes with each element.
    private var worst = 0.0
    /// The same in parts of what was tolerated: above 1 is a failure.
    private var worstShare = 0.0
    private var cases = 0
    private var isIntact = true

    init(_ name: String) { self.name = name }

    mutating func add(_ seen: Floats, _ expected: [Double], magnitudes: [Double], tolerance: Double) {
        precondition(seen.count == expected.count && seen.count == magnitudes.count)
        cases += 1
        for i in 0..<seen.count {
            let error = abs(Double(seen.pointer[i]) - expected[i]) / (roundoff * max(magnitudes[i], 1e-30))
            // Written so that a NaN is the greatest error of all.
            if !(error <= worst) { worst = error }
            if !(error / tolerance <= worstShare) { worstShare = error / tolerance }
        }
        isIntact = isIntact && seen.isIntact
    }

    mutating func add(_ seen: Floats, _ expected: [Double], magnitude: Double, tolerance: Double) {
        add(
            seen, expected, magnitudes: [Double](repeating: magnitude, count: expected.count), tolerance: tolerance)
    }

    /// An error that was measured elsewhere, in units of its own.
    mutating func add(error: Double, tolerance: Double) {
        cases += 1
        if !(error <= worst) { worst = error }
        if !(error / tolerance <= worstShare) { worstShare = error / tolerance }
    }

    /// Prints the line of the kernel; whether it is right.
    func report() -> Bool {
        let isRight = worstShare <= 1 && isIntact && cases > 0
        func padded(_ text: String, _ width: Int) -> String {
            text.utf8.count < width ? text + String(repeating: " ", count: width - text.utf8.count) : text
        }
        func tenths(_ x: Double) -> String {
            if !(x < 1e12) { return "\(x)" }
            let rounded = Int((x * 10).rounded())
            return "\(rounded / 10).\(rounded % 10)"
        }
        puts(
            "\(isRight ? "ok  " : "BAD ") \(padded(name, 26)) error \(padded(tenths(worst), 8))"
                + "= \(tenths(worstShare * 100)) % of what is tolerated, \(cases) cases"
                + (isIntact ? "" : "; wrote beside its result"))
        return isRight
    }
}
