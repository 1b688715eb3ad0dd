import Foundation
import SSFKernels
import SSFParallel

/// The machine and the libraries that a result came from: `environment.json` and `ssf doctor`.
public struct EnvironmentReport: Codable, Sendable {
    public var program: String
    public var cpu: String
    public var instructionSet: String
    public var availableInstructionSets: [String]
    public var threads: Int
    /// CPUs this process may run on.
    public var threadLimit: Int
    public var threadLimitReason: String
    public var operatingSystem: String
    public var architecture: String
    public var memoryBytes: UInt64
    public var swift: String
    /// Of the working folder, when it is a checkout of this project.
    public var gitRevision: String?
    /// Shared libraries by name, with the file that the loader chose.
    public var libraries: [String: String]

    enum CodingKeys: String, CodingKey {
        case program, cpu, threads, architecture, swift, libraries
        case instructionSet = "instruction_set"
        case availableInstructionSets = "available_instruction_sets"
        case threadLimit = "thread_limit"
        case threadLimitReason = "thread_limit_reason"
        case operatingSystem = "operating_system"
        case memoryBytes = "memory_bytes"
        case gitRevision = "git_revision"
    }

    public static func current() -> EnvironmentReport {
        EnvironmentReport(
            program: "ssf \(ProgramVersion.text)", cpu: cpuName(),
            instructionSet: KernelTable.current.instructionSet.rawValue,
            availableInstructionSets: InstructionSet.allCases.filter(\.isAvailable).map(\.rawValue),
            threads: Parallel.threads, threadLimit: ThreadLimit.current.threads,
            threadLimitReason: ThreadLimit.current.reason,
            operatingSystem: ProcessInfo.processInfo.operatingSystemVersionString, architecture: architectureName,
            memoryBytes: ProcessInfo.processInfo.physicalMemory, swift: swiftVersion, gitRevision: revision(),
            libraries: libraries())
    }

    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    private static var architectureName: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #else
            "unknown"
        #endif
    }

    private static var swiftVersion: String {
        #if compiler(>=6.4)
            "6.4 or later"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    private static func cpuName() -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        for key in ["model name", "Processor", "CPU part"] {
            if let line = text.split(separator: "\n").first(where: { $0.hasPrefix(key) }),
                let colon = line.firstIndex(of: ":")
            {
                return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
        }
        return "unknown"
    }

    /// Read from the files of the checkout, so that nothing depends on git being there.
    private static func revision() -> String? {
        var folder = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        while folder.path != "/" {
            let git = folder.appendingPathComponent(".git")
            let isOurs = FileManager.default.fileExists(atPath: folder.path + "/Sources/SSFKernels")
            if isOurs, let head = try? String(contentsOf: git.appendingPathComponent("HEAD"), encoding: .utf8) {
                let text = head.trimmingCharacters(in: .whitespacesAndNewlines)
                guard text.hasPrefix("ref: ") else { return text }
                let name = String(text.dropFirst(5))
                if let loose = try? String(contentsOf: git.appendingPathComponent(name), encoding: .utf8) {
                    return loose.trimmingCharacters(in: .whitespacesAndNewlines)
                }
                let packed = try? String(contentsOf: git.appendingPathComponent("packed-refs"), encoding: .utf8)
                return packed?.split(separator: "\n").first { $0.hasSuffix(" " + name) }.map { String($0.prefix(40)) }
            }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    /// The files behind the shared libraries, by what the kernel has mapped.
    private static func libraries() -> [String: String] {
        // Files of /proc state no size: they must be read to the end, not to where they claim to end.
        let data = try? FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd()
        let maps = String(decoding: data ?? Data(), as: UTF8.self)
        var found: [String: String] = [:]
        for line in maps.split(separator: "\n") {
            guard let slash = line.firstIndex(of: "/") else { continue }
            let path = String(line[slash...])
            let file = URL(fileURLWithPath: path).resolvingSymlinksInPath().lastPathComponent
            for name in ["libomp", "libpng", "libturbojpeg", "libz", "libc"]
            where file.hasPrefix(name) && file.dropFirst(name.count).first.map({ $0 == "." || $0.isNumber }) ?? false {
                found[name] = path
            }
        }
        return found
    }
}

/// The version of the programs.
public enum ProgramVersion {
    public static let text = "0.1.0"
}
