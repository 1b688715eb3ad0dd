import Foundation
import SSFTensors

/// Folders that are whole or not there: filled beside their place, forced to disk, then renamed as one.
public enum AtomicFolder {
    /// Makes a folder and fills it.
    ///
    /// Where the kernel can exchange two names (Linux, all usual file systems), there is no moment in which neither
    /// the old nor the new folder stands at `path`. Elsewhere the old one is kept as `<path>.previous` while the new
    /// one takes its place; `existing(_:)` finds it there after a crash.
    ///
    /// - Parameters:
    ///   - path: Where the folder is to stand. The folder above it is made if need be.
    ///   - replacing: Says of the folder that stands there whether it may go; an empty one always may.
    ///   - fill: Writes the files into the folder whose path it receives.
    /// - Throws: What `fill` throws, or a `UserError` that names the path; what was there stays, and nothing is left
    ///   beside it.
    public static func write(
        to path: String, replacing: (String) -> Bool = { _ in false }, fill: (String) throws -> Void
    ) throws {
        let (parent, _) = split(path)
        try makeFolders(parent)
        let existing = PathKind(path)
        if existing == .file || existing == .other {
            throw UserError("\(path): cannot be written", found: "a file of this name")
        }
        let isEmpty =
            existing == .folder && ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["?"]).isEmpty
        if existing == .folder && !isEmpty && !replacing(path) {
            throw UserError(
                "\(path): the folder exists and is not replaced", remedy: "name another folder, or remove this one")
        }

        let temporary = AtomicFile.temporaryPath(beside: path)
        guard mkdir(temporary, 0o777) == 0 else {
            throw UserError("\(path): cannot be made", found: systemErrorText())
        }
        do {
            try fill(temporary)
            AtomicFile.synchronizeFolder(temporary)
            if existing == .folder {
                try exchange(temporary, with: path)
            } else if rename(temporary, path) != 0 {
                throw UserError("\(path): cannot be put in place", found: systemErrorText())
            }
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
        AtomicFile.synchronizeFolder(parent)
        // After an exchange the old folder stands under the temporary name, and may go only now.
        try? FileManager.default.removeItem(atPath: temporary)
    }

    /// `path`, or where a crash left the folder that it held: `<path>.previous`.
    public static func existing(_ path: String) -> String {
        PathKind(path) == .absent && PathKind(previous(path)) == .folder ? previous(path) : path
    }

    private static func previous(_ path: String) -> String {
        let (folder, name) = split(path)
        return join(folder, name + ".previous")
    }

    /// Puts the folder `new` at `path`, and what stood there in the place of `new`, or away.
    private static func exchange(_ new: String, with path: String) throws {
        if renameExchanging(new, path) { return }
        let old = previous(path)
        try? FileManager.default.removeItem(atPath: old)
        guard rename(path, old) == 0 else {
            throw UserError("\(path): cannot be replaced", found: systemErrorText())
        }
        guard rename(new, path) == 0 else {
            let reason = systemErrorText()
            rename(old, path)
            throw UserError("\(path): cannot be put in place", found: reason)
        }
        try? FileManager.default.removeItem(atPath: old)
    }

    /// Exchanges two names in one step, and says whether that was possible.
    private static func renameExchanging(_ a: String, _ b: String) -> Bool {
        #if os(Linux)
            // glibc declares `renameat2` only under a feature macro that the importer does not set, so it is looked up.
            typealias RenameAt2 =
                @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, CUnsignedInt) -> CInt
            guard let symbol = dlsym(nil, "renameat2") else { return false }
            let exchangeNames: CUnsignedInt = 1 << 1  // RENAME_EXCHANGE
            return unsafeBitCast(symbol, to: RenameAt2.self)(AT_FDCWD, a, AT_FDCWD, b, exchangeNames) == 0
        #else
            return false
        #endif
    }

    private static func makeFolders(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            // Foundation's own words name no cause.
            let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
            throw UserError(
                "\(path): the folder cannot be made",
                found: underlying?.domain == NSPOSIXErrorDomain
                    ? String(cString: strerror(CInt(underlying!.code))) : error.localizedDescription,
                remedy: "name a place that you may write to")
        }
    }
}
