import Foundation
import SSFKernels
import Testing

@Suite struct BFloat16Tests {
    /// The rule in double precision: the nearest of the multiples of the spacing, ties to the even one.
    private func expected(_ x: Float) -> UInt16 {
        if x.isNaN { return UInt16(x.bitPattern >> 16) | 0x40 }
        let sign: UInt16 = x.sign == .minus ? 0x8000 : 0
        if x.isInfinite { return sign | 0x7f80 }
        // 8 bits of significand; below 2^-126 the spacing stays that of the least normal number.
        let exponent = x == 0 ? -126 : max(Int(x.exponent), -126)
        let spacing = exp2(Double(exponent - 7))
        let units = (Double(x.magnitude) / spacing).rounded(.toNearestOrEven)
        let value = units * spacing
        if value >= 0x1p128 { return sign | 0x7f80 }
        // A finite bfloat16 is a float, exactly.
        return sign | UInt16(Float(value).bitPattern >> 16)
    }

    /// Around every bfloat16: itself, what is just beside it, the ties on both sides and what is just beside those.
    private static let floats: [Float] = (0...UInt32(UInt16.max)).flatMap { half in
        [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff].map { Float(bitPattern: half << 16 | $0) }
    }

    @Test func oneNumberRoundsToNearestEven() {
        var wrong: [Float] = []
        for x in Self.floats where BFloat16(x).bitPattern != expected(x) { wrong.append(x) }
        #expect(wrong.isEmpty)
        #expect(BFloat16(.greatestFiniteMagnitude).bitPattern == 0x7f80)
        #expect(BFloat16(Float(bitPattern: 0x7f7f_7fff)).bitPattern == 0x7f7f)
        #expect(BFloat16(Float(bitPattern: 0xff80_0001)).bitPattern == 0xffc0)
        #expect(BFloat16(.leastNonzeroMagnitude).bitPattern == 0)
    }

    @Test func wideningIsExact() {
        for bits in 0...UInt16.max {
            let x = Float(BFloat16(bitPattern: bits))
            #expect(x.bitPattern == UInt32(bits) << 16)
        }
    }

    /// All bit patterns at once, and back.
    @Test(arguments: KernelTable.available)
    func vectorsAgreeWithSingleNumbers(_ table: KernelTable) {
        let floats = Self.floats
        var halves = [BFloat16](repeating: BFloat16(bitPattern: 0x1234), count: floats.count)
        floats.withUnsafeBufferPointer { x in
            halves.withUnsafeMutableBufferPointer { y in
                BFloat16.round(count: x.count, x: x.baseAddress!, y: y.baseAddress!, table: table)
            }
        }
        #expect(halves.map(\.bitPattern) == floats.map { BFloat16($0).bitPattern })

        let all = (0...UInt16.max).map { BFloat16(bitPattern: $0) }
        var wide = [Float](repeating: 7, count: all.count)
        all.withUnsafeBufferPointer { x in
            wide.withUnsafeMutableBufferPointer { y in
                BFloat16.widen(count: x.count, x: x.baseAddress!, y: y.baseAddress!, table: table)
            }
        }
        #expect(wide.map(\.bitPattern) == all.map { UInt32($0.bitPattern) << 16 })
    }

    /// Every count around the lanes, at addresses that no vector is aligned to; nothing beside them is touched.
    @Test(arguments: KernelTable.available)
    func tailsAndMisalignedAddresses(_ table: KernelTable) {
        let x = (0..<1100).map { Float($0) * 1.2345e-2 - 3 }
        for count in edgeCounts {
            for shift in [0, 1, 3] {
                var halves = [BFloat16](repeating: BFloat16(bitPattern: 0x7b7b), count: count + shift + 40)
                var wide = [Float](repeating: 9, count: count + shift + 40)
                x.withUnsafeBufferPointer { x in
                    halves.withUnsafeMutableBufferPointer { halves in
                        wide.withUnsafeMutableBufferPointer { wide in
                            BFloat16.round(
                                count: count, x: x.baseAddress! + shift, y: halves.baseAddress! + shift, table: table)
                            BFloat16.widen(
                                count: count, x: halves.baseAddress! + shift, y: wide.baseAddress! + shift,
                                table: table)
                        }
                    }
                }
                let inside = shift..<shift + count
                #expect(halves[inside].map(\.bitPattern) == x[inside].map { BFloat16($0).bitPattern })
                #expect(wide[inside].elementsEqual(x[inside].map { Float(BFloat16($0)) }))
                for i in 0..<halves.count where !inside.contains(i) {
                    #expect(halves[i].bitPattern == 0x7b7b && wide[i] == 9)
                }
            }
        }
    }

    @Test func spansAreConverted() {
        let x: [Float] = [1, -2.5, 1 + 0x1p-8, .infinity]
        var halves = [BFloat16](repeating: BFloat16(0), count: 4)
        var wide = [Float](repeating: 0, count: 4)
        var target = halves.mutableSpan
        BFloat16.round(x.span, into: &target)
        var back = wide.mutableSpan
        BFloat16.widen(halves.span, into: &back)
        #expect(wide == [1, -2.5, 1, .infinity])
    }

    @Test func countsThatDifferStopTheProgram() async {
        await #expect(processExitsWith: .failure) {
            var halves = [BFloat16](repeating: BFloat16(0), count: 3)
            var target = halves.mutableSpan
            BFloat16.round([Float](repeating: 0, count: 4).span, into: &target)
        }
        await #expect(processExitsWith: .failure) {
            var wide = [Float](repeating: 0, count: 4)
            var target = wide.mutableSpan
            BFloat16.widen([BFloat16(0)].span, into: &target)
        }
    }
}
