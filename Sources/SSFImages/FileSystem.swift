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

    /// What tells a folder from every other by whatever path it is reached; nil where there is none.
    static func identity(_ path: String) -> [UInt64]? {
        var status = stat()
        return stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
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
    ///
    /// - Throws: `UserError` where the folder cannot be listed, or a name in it is not UTF-8: `FileManager` would leave
    ///   such a file out without a word.
    static func list(_ folder: String) throws -> [String] {
        guard let stream = opendir(folder) else {
            throw UserError("\(folder) cannot be listed", found: String(cString: strerror(errno)))
        }
        defer { closedir(stream) }
        let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name)!
        var names: [String] = []
        while true {
            // The end and a failure differ in errno alone.
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else {
                    throw UserError("\(folder) cannot be listed", found: String(cString: strerror(errno)))
                }
                break
            }
            let bytes = (UnsafeRawPointer(entry) + nameOffset).assumingMemoryBound(to: CChar.self)
            guard let name = String(validatingCString: bytes) else {
                throw UserError(
                    "\(folder) holds a file whose name is not UTF-8", found: String(cString: bytes),
                    remedy: "rename it, for example with convmv -f latin1 -t utf8")
            }
            if !name.hasPrefix(".") && name != "__MACOSX" && name != "@eaDir" { names.append(name) }
        }
        return names.naturallySorted()
    }

    /// The names of the folders in a folder.
    static func subfolders(_ folder: String) throws -> [String] {
        try list(folder).filter { isDirectory(join(folder, $0)) }
    }

    /// The lines of a text file, without carriage returns.
    static func lines(_ path: String) throws -> [Substring] {
        guard isFile(path), let data = FileManager.default.contents(atPath: path) else {
            throw UserError("\(path) cannot be read", expected: "a text file")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw UserError("\(path) is not a text file", expected: "UTF-8")
        }
        return text.split(omittingEmptySubsequences: false) { $0.isNewline }
    }
}
