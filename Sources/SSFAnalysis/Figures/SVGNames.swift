/// Names inside of SVG files.
///
/// Cairo numbers some of them by a counter of the whole process, so that the second drawing of a figure would differ
/// from the first.
package enum SVGNames {
    /// Names every element `n0`, `n1`, ... in the order of their definitions, and changes the references.
    package static func numberedInOrder(_ bytes: [UInt8]) -> [UInt8] {
        var names: [ArraySlice<UInt8>: [UInt8]] = [:]
        forEachName(bytes) { name, isDefinition in
            if isDefinition, names[bytes[name]] == nil { names[bytes[name]] = Array("n\(names.count)".utf8) }
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var copied = 0
        forEachName(bytes) { name, _ in
            guard let new = names[bytes[name]] else { return }
            result += bytes[copied..<name.lowerBound]
            result += new
            copied = name.upperBound
        }
        return result + bytes[copied...]
    }

    /// Calls `body` with the range of every name in ` id="name"`, `"#name"` and `url(#name)`, and whether it is the
    /// first of these.
    private static func forEachName(_ bytes: [UInt8], _ body: (Range<Int>, Bool) -> Void) {
        let definition = Array(" id=\"".utf8)
        let quote = UInt8(ascii: "\"")
        var position = 0
        while position < bytes.count {
            let start: Int
            let end: UInt8
            let isDefinition = bytes[position] == definition[0] && bytes[position...].starts(with: definition)
            if isDefinition {
                (start, end) = (position + definition.count, quote)
            } else if bytes[position] == UInt8(ascii: "#"), position > 0,
                bytes[position - 1] == quote || bytes[position - 1] == UInt8(ascii: "(")
            {
                (start, end) = (position + 1, bytes[position - 1] == quote ? quote : UInt8(ascii: ")"))
            } else {
                position += 1
                continue
            }
            let stop = bytes[start...].firstIndex(of: end) ?? bytes.count
            body(start..<stop, isDefinition)
            position = stop
        }
    }
}
