import Foundation

/// Finds keys that stand twice in one object. RFC 8259 leaves their meaning open, and Foundation's decoder keeps one
/// of them silently, so that two readers of the same bytes could see different tensors.
enum JSONDuplicates {
    /// The first key that repeats one of its object's, or `nil`.
    ///
    /// - Parameter json: JSON that a parser has accepted; only strings, braces and commas are looked at.
    static func first(in json: UnsafeRawBufferPointer) -> String? {
        // The keys seen so far in each open container; an array has an empty set that stays so.
        var open: [(isObject: Bool, keys: Set<String>)] = []
        var expectsKey = false
        var index = 0
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "{"):
                open.append((true, []))
                expectsKey = true
            case UInt8(ascii: "["):
                open.append((false, []))
                expectsKey = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = open.popLast()
                expectsKey = false
            case UInt8(ascii: ","):
                expectsKey = open.last?.isObject ?? false
            case UInt8(ascii: "\""):
                let end = endOfString(json, from: index)
                if expectsKey, let last = open.indices.last {
                    let key = text(UnsafeRawBufferPointer(rebasing: json[index..<end]))
                    if !open[last].keys.insert(key).inserted { return key }
                    expectsKey = false
                }
                index = end - 1
            default: break
            }
            index += 1
        }
        return nil
    }

    /// The index after the closing quote of the string that opens at `start`.
    private static func endOfString(_ json: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start + 1
        while index < json.count {
            switch json[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""): return index + 1
            default: index += 1
            }
        }
        return json.count
    }

    /// The text of a quoted string, escapes resolved: two spellings of one key are one key.
    private static func text(_ quoted: UnsafeRawBufferPointer) -> String {
        if quoted.contains(UInt8(ascii: "\\")), let text = try? JSONDecoder().decode(String.self, from: Data(quoted)) {
            return text
        }
        return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
    }
}
