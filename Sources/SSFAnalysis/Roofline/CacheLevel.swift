import Foundation

/// A cache for data, as the system reports it.
public struct CacheLevel: Codable, Sendable, Equatable {
    /// 1 is the nearest to the core.
    public var level: Int
    /// Of one such cache.
    public var bytes: Int
    /// CPUs that share it.
    public var sharedBy: Int

    enum CodingKeys: String, CodingKey {
        case level, bytes
        case sharedBy = "shared_by"
    }

    public init(level: Int, bytes: Int, sharedBy: Int) {
        (self.level, self.bytes, self.sharedBy) = (level, bytes, sharedBy)
    }

    /// The caches of the first CPU, nearest first; empty where the system does not say.
    ///
    /// - Parameter folder: Linux's description; a parameter so that tests can give another.
    public static func reported(folder: String = "/sys/devices/system/cpu/cpu0/cache") -> [CacheLevel] {
        func text(_ path: String) -> String? {
            (try? String(contentsOfFile: folder + "/" + path, encoding: .utf8))?
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
            $0.hasPrefix("index")
        }
        return names.compactMap { name in
            guard let level = text(name + "/level").flatMap({ Int($0) }), text(name + "/type") != "Instruction",
                let bytes = text(name + "/size").flatMap(Self.bytes)
            else { return nil }
            return CacheLevel(
                level: level, bytes: bytes, sharedBy: max(text(name + "/shared_cpu_list").map(Self.count) ?? 1, 1))
        }.sorted { ($0.level, $0.bytes) < ($1.level, $1.bytes) }
    }

    /// `48K`, `32768K`, `1M`
    package static func bytes(_ text: String) -> Int? {
        let factors: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
        guard let last = text.last else { return nil }
        guard let factor = factors[last] else { return Int(text) }
        return Int(text.dropLast()).map { $0 * factor }
    }

    /// `0-3,8-11` is 8.
    package static func count(_ list: String) -> Int {
        list.split(separator: ",").reduce(0) { total, part in
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { return total }
            return total + last - first + 1
        }
    }
}
