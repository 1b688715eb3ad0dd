import Foundation
import Synchronization

/// Whether the program was asked to end, by Ctrl-C, by `kill` or by a terminal that closes: the first time asks for a
/// clean end, the second ends the program at once.
public enum Interruption {
    private static let count = Atomic<Int>(0)

    /// Begins to listen.
    public static func listen() {
        // A parent may have handed down a mask in which the signals are blocked.
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&mask, number) }
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = signal(number) { received in
                // Nothing but an atomic and a system call is allowed in a signal handler.
                if Interruption.count.add(1, ordering: .relaxed).newValue > 1 { _exit(128 + received) }
            }
            // `nohup` means that a terminal may close.
            if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                signal(number, SIG_IGN)
            }
        }
    }

    public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }
}
