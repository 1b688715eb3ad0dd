import SSFAnalysis
import Testing

@Suite("Which values an axis names") struct TickTests {
    @Test("Round steps, at most as many as asked for")
    func linear() {
        #expect(Ticks.linear(0...1, count: 6).map(\.label) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(Ticks.linear(0...11, count: 12).map(\.label) == (0...11).map(String.init))
        #expect(Ticks.linear(-1...1, count: 5).map(\.label) == ["\u{2212}1.0", "\u{2212}0.5", "0.0", "0.5", "1.0"])
        #expect(Ticks.linear(0.0001...0.0008, count: 4).map(\.label) == ["0.0002", "0.0004", "0.0006", "0.0008"])
        #expect(Ticks.linear(0...3e6, count: 4).map(\.label) == ["0", "10⁶", "2×10⁶", "3×10⁶"])
        for count in 1...20 {
            let ticks = Ticks.linear(-3.7...12.3, count: count)
            #expect(ticks.count <= count)
            #expect(ticks.allSatisfy { (-3.7...12.3).contains($0.value) })
        }
    }

    @Test("A range without length has one tick")
    func empty() {
        #expect(Ticks.linear(2...2, count: 5).map(\.label) == ["2"])
    }

    @Test("Decades with 2 and 5 between them where they fit, then decades, then every other")
    func logarithmic() {
        #expect(Ticks.logarithmic(1...100, count: 7).map(\.label) == ["1", "2", "5", "10", "20", "50", "100"])
        #expect(Ticks.logarithmic(1...100, count: 6).map(\.label) == ["1", "10", "100"])
        #expect(Ticks.logarithmic(0.01...10, count: 4).map(\.label) == ["0.01", "0.1", "1", "10"])
        let wide = Ticks.logarithmic(1e-12...1e12, count: 6)
        #expect(wide.count <= 6 && wide.count >= 4)
        #expect(wide.contains { $0.label == "10⁻¹⁰" || $0.label == "10⁻⁵" || $0.label == "10⁻¹²" })
    }

    @Test("Within one decade the ticks are those of a linear axis")
    func narrow() {
        #expect(Ticks.logarithmic(3.1...4.2, count: 6).map(\.label) == ["3.2", "3.4", "3.6", "3.8", "4.0", "4.2"])
    }

    @Test("The short marks between decades are 2 to 9")
    func minor() {
        #expect(Ticks.minor(1...10) == [2, 3, 4, 5, 6, 7, 8, 9])
        #expect(Ticks.minor(1e-20...1e20).isEmpty)
    }

    @Test("Numbers are short, and have a true minus sign")
    func labels() {
        #expect(Ticks.label(1000) == "1000")
        #expect(Ticks.label(-0.05) == "\u{2212}0.05")
        #expect(Ticks.label(0) == "0")
        #expect(Ticks.label(1.5e-7) == "1.5×10⁻⁷")
        #expect(Ticks.label(-0.0, step: 0.1) == "0.0")
    }
}
