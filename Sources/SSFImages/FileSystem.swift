import Foundation
import SSFTensors

/// The few questions that the layouts ask of the file system.
enum FileSystem {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    static func join(_ folder: String, _ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return folder.hasSuffix("/") ? folder + path : folder + "/" + path
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func lastComponent(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// The lower-case extension of a file name, without its dot; empty if there is none.
    static func fileExtension(_ name: String) -> String {
        let parts = lastComponent(name).split(separator: ".", omittingEmptySubsequences: false)
        return parts.count > 1 ? parts.last!.lowercased() : ""
    }

    /// A file name without its extension.
    static func stem(_ name: String) -> String {
        let last = lastComponent(name)
        guard let dot = last.lastIndex(of: "."), dot != last.startIndex else { return last }
        return String(last[..<dot])
    }

    /// Names in a folder in natural order, without those that hide or that operating systems leave behind.
    static func list(_ folder: String) throws -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw UserError("\(folder) cannot be listed", found: error.localizedDescription)
        }
        return names.filter { !$0.hasPrefix(".") && $0 != "__MACOSX" && $0 != "@eaDir" }.naturallySorted()
    }

    /// The names of the folders in a folder.
    static func subfolders(_ folder: String) throws -> [String] {
        try list(folder).filter { isDirectory(join(folder, $0)) }
    }

    /// The lines of a text file, without carriage returns.
    static func lines(_ path: String) throws -> [Substring] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw UserError("\(path) cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw UserError("\(path) is not a text file", expected: "UTF-8")
        }
        return text.split(omittingEmptySubsequences: false) { $0.isNewline }
    }
}
