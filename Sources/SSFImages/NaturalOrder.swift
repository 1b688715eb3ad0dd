/// The order in which people count: `class2` before `class10`, capitals not apart, as timm sorts class folders.
enum NaturalOrder {
    static func precedes(_ a: String, _ b: String) -> Bool {
        let x = parts(a)
        let y = parts(b)
        for (p, q) in zip(x, y) where p != q {
            switch (p, q) {
            case (.number(let m), .number(let n)): return m < n
            case (.text(let s), .text(let t)): return s.unicodeScalars.lexicographicallyPrecedes(t.unicodeScalars)
            case (.number, .text): return true
            case (.text, .number): return false
            }
        }
        if x.count != y.count { return x.count < y.count }
        // Names that differ in capitals or leading zeros only still need one order.
        return a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
    }

    private enum Part: Equatable {
        /// Digits without leading zeros: the longer is the larger, and no number overflows.
        case number(Digits)
        case text(String)
    }

    private struct Digits: Equatable, Comparable {
        var digits: Substring
        static func < (a: Digits, b: Digits) -> Bool {
            a.digits.utf8.count != b.digits.utf8.count
                ? a.digits.utf8.count < b.digits.utf8.count : a.digits < b.digits
        }
    }

    private static func parts(_ string: String) -> [Part] {
        var result: [Part] = []
        var rest = string.lowercased()[...]
        func isDigit(_ c: Character) -> Bool { c.isASCII && c.isWholeNumber }
        while let first = rest.first {
            let run = rest.prefix { isDigit($0) == isDigit(first) }
            rest = rest[run.endIndex...]
            if isDigit(first) {
                result.append(.number(Digits(digits: run.drop { $0 == "0" })))
            } else {
                result.append(.text(String(run)))
            }
        }
        return result
    }
}

extension Sequence where Element == String {
    func naturallySorted() -> [String] { sorted(by: NaturalOrder.precedes) }
}
