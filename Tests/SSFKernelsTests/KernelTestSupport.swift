import Foundation
import SSFKernels
import SSFParallel
import Testing

/// The unit roundoff of single precision: what one rounding costs, relative to its result. Tolerances are multiples.
let roundoff = 0x1p-24

/// The functions by which the address sanitizer lets a program forbid parts of its memory; nil where it does not run.
private enum AddressSanitizer {
    typealias Change = @convention(c) (UnsafeRawPointer, Int) -> Void

    static let poison = function("__asan_poison_memory_region")
    static let unpoison = function("__asan_unpoison_memory_region")

    private static func function(_ name: String) -> Change? {
        dlsym(dlopen(nil, RTLD_NOW), name).map { unsafeBitCast($0, to: Change.self) }
    }
}

/// What kernels read and write, as tests see it.
protocol TestElement: MatrixElement {
    init(rounding value: Double)
    /// What no kernel computes.
    static var canary: Self { get }
    var double: Double { get }
    var bits: UInt32 { get }
}

extension Float: TestElement {
    init(rounding value: Double) { self.init(value) }
    static var canary: Float { Float(bitPattern: 0x7fed_cba9) }
    var double: Double { Double(self) }
    var bits: UInt32 { bitPattern }
}

extension BFloat16: TestElement {
    init(rounding value: Double) { self.init(Float(value)) }
    static var canary: BFloat16 { BFloat16(bitPattern: 0x7fed) }
    var double: Double { Double(Float(self)) }
    var bits: UInt32 { UInt32(bitPattern) }
}

typealias TestFloats = TestNumbers<Float>
typealias TestHalves = TestNumbers<BFloat16>

/// Numbers in memory without their type: the operands of a test that varies it.
protocol TestMatrix: AnyObject {
    associatedtype Element: TestElement
    var pointer: UnsafeMutablePointer<Element> { get }
    var values: [Double] { get }
    var bits: [UInt32] { get }
    var isIntact: Bool { get }
}

extension TestMatrix {
    var matrix: MatrixPointer { MatrixPointer(pointer) }
    var mutableMatrix: MutableMatrixPointer { MutableMatrixPointer(pointer) }
}

/// Numbers for a kernel: at a chosen distance from an aligned address, between margins that a kernel must not touch.
final class TestNumbers<Element: TestElement>: TestMatrix {
    private static var margin: Int { 32 }

    private let base: UnsafeMutablePointer<Element>
    private let before: Int
    let count: Int

    var pointer: UnsafeMutablePointer<Element> { base + before }

    /// What a kernel would read: each value rounded.
    init(_ values: [Double], misalignedBy shift: Int = 0) {
        count = values.count
        before = Self.margin + shift
        let capacity = before + count + Self.margin
        base = UnsafeMutableRawPointer.allocate(byteCount: capacity * MemoryLayout<Element>.stride, alignment: 64)
            .bindMemory(to: Element.self, capacity: capacity)
        for i in 0..<capacity { base[i] = Element.canary }
        for (i, value) in values.enumerated() { pointer[i] = Element(rounding: value) }
        poisonMargins(AddressSanitizer.poison)
    }

    deinit {
        poisonMargins(AddressSanitizer.unpoison)
        base.deallocate()
    }

    /// Makes the margins forbidden memory where the address sanitizer runs, so that it reports reads of them too.
    private func poisonMargins(_ change: AddressSanitizer.Change?) {
        change?(base, before * MemoryLayout<Element>.stride)
        change?(base + before + count, Self.margin * MemoryLayout<Element>.stride)
    }

    var values: [Double] { (0..<count).map { pointer[$0].double } }
    var bits: [UInt32] { (0..<count).map { pointer[$0].bits } }

    /// Whether the margins are as they were.
    var isIntact: Bool {
        poisonMargins(AddressSanitizer.unpoison)
        defer { poisonMargins(AddressSanitizer.poison) }
        return (0..<before).allSatisfy { base[$0].bits == Element.canary.bits }
            && (0..<Self.margin).allSatisfy { base[before + count + $0].bits == Element.canary.bits }
    }
}

/// The value that bfloat16 stores for a number.
func roundedToBFloat16(_ value: Double) -> Double { BFloat16(rounding: value).double }

/// Numbers from a fixed linear congruential generator, rounded to single precision so that reference and kernel start
/// from the same.
func numbers(_ count: Int, seed: UInt64, from low: Double = -1, to high: Double = 1) -> [Double] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(Float(low + (high - low) * Double(state >> 11) * 0x1p-53))
    }
}

/// The greatest error in units of the roundoff times the magnitude that goes with each element.
func worstError(_ seen: [Double], _ expected: [Double], magnitudes: [Double]) -> Double {
    precondition(seen.count == expected.count && seen.count == magnitudes.count)
    var worst = 0.0
    for i in 0..<seen.count {
        let error = abs(seen[i] - expected[i]) / (roundoff * max(magnitudes[i], 1e-30))
        if !(error <= worst) { worst = error }
    }
    return worst
}

/// The same with one magnitude for all.
func worstError(_ seen: [Double], _ expected: [Double], magnitude: Double) -> Double {
    worstError(seen, expected, magnitudes: Array(repeating: magnitude, count: seen.count))
}

/// The error in units of the last place of the expected number, a power of two between two denormal numbers too.
func ulps(_ seen: Float, _ expected: Double) -> Double {
    if expected.isNaN { return seen.isNaN ? 0 : .infinity }
    let rounded = Float(expected)
    if rounded.isInfinite || seen.isInfinite { return seen == rounded ? 0 : (abs(expected) > 3.402e38 ? 1 : .infinity) }
    return abs(Double(seen) - expected) / Double(rounded.magnitude.ulp)
}

/// The derivative of a scalar function of many numbers, by central differences.
func finiteDifferences(at x: [Double], step: Double = 1e-5, _ f: ([Double]) -> Double) -> [Double] {
    x.indices.map { i in
        var up = x
        var down = x
        up[i] += step
        down[i] -= step
        return (f(up) - f(down)) / (2 * step)
    }
}

/// `sum of a[i] b[i]`: a scalar function of a result, whose gradient with respect to the result is `b`.
func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

/// Every table of this machine with every size: the cases of a test.
struct KernelCase<Size: Sendable>: Sendable, CustomTestStringConvertible {
    let table: KernelTable
    let size: Size

    var testDescription: String { "\(table.instructionSet.rawValue) \(size)" }

    static func all(_ sizes: [Size]) -> [KernelCase] {
        KernelTable.available.flatMap { table in sizes.map { KernelCase(table: table, size: $0) } }
    }
}

extension KernelTable {
    /// Whether a product and an addition are rounded once.
    var isFused: Bool {
        #if arch(x86_64)
            instructionSet != .baseline
        #else
            true
        #endif
    }
}

extension KernelTable {
    /// Whether the normal distribution comes from tables in registers.
    var looksUp: Bool { instructionSet != .baseline }
}

extension KernelTable: CustomTestStringConvertible {
    public var testDescription: String { instructionSet.rawValue }
}

/// Counts around the lanes of every vector.
let edgeCounts = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 197, 1000]

/// Whether `body` gives the same bits with one thread and with every thread of the machine, several times over.
func hasSameBitsForEveryThreadCount(_ body: () -> [UInt32]) -> Bool {
    let threads = Parallel.threads
    defer { Parallel.setThreads(threads) }
    Parallel.setThreads(1)
    let alone = body()
    Parallel.setThreads(ThreadLimit.current.threads)
    return (0..<3).allSatisfy { _ in body() == alone }
}
