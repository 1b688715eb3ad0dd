import Foundation
import Synchronization

/// Whether a person pressed Ctrl-C: the first press asks for a clean end, the second ends the program at once.
public enum Interruption {
    private static let count = Atomic<Int>(0)

    /// Begins to listen.
    public static func listen() {
        // A parent may have handed down a mask in which the signal is blocked.
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
        signal(SIGINT) { _ in
            // Nothing but an atomic and a system call is allowed in a signal handler.
            if Interruption.count.add(1, ordering: .relaxed).newValue > 1 { _exit(130) }
        }
    }

    public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }
}
