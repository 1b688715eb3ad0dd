/// Finds the name that was probably meant.
enum NearestName {
    /// The name that the fewest insertions, deletions and substitutions turn `word` into; nil among none.
    static func of(_ word: String, among names: [String]) -> String? {
        names.min { distance($0, word) < distance($1, word) }
    }

    /// Levenshtein's distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let next = min(row[j + 1] + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
