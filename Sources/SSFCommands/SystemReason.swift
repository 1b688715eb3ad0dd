import Foundation

/// Why the system refused something, in its own short words.
public enum SystemReason {
    /// `No space left on device`, `Permission denied`, ...; what Foundation says where no system error stands behind it.
    public static func of(_ error: any Error) -> String {
        var next: NSError? = error as NSError
        while let current = next {
            if current.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(current.code))) }
            next = current.userInfo[NSUnderlyingErrorKey] as? NSError
        }
        switch (error as? CocoaError)?.code {
        case .fileWriteFileExists: return String(cString: strerror(EEXIST))
        case .fileWriteNoPermission, .fileReadNoPermission: return String(cString: strerror(EACCES))
        case .fileWriteOutOfSpace: return String(cString: strerror(ENOSPC))
        case .fileWriteVolumeReadOnly: return String(cString: strerror(EROFS))
        case .fileNoSuchFile, .fileReadNoSuchFile: return String(cString: strerror(ENOENT))
        default: return error.localizedDescription
        }
    }
}
