import Glibc
import KernelCases
import SSFKernels
import SSFParallel

/// The requests on the prepared cases of a run; every answer is one line of JSON.
public protocol WindowSession {
    /// - Parameter threads: of the team.
    init(threads: Int)

    /// The answer to a request, or nil where it is not understood.
    ///
    /// - Throws: what cannot be done, and is to be said.
    mutating func answer(_ request: String) throws -> String?
}

/// A program that does what its standard input asks for, line by line, for a driver that alternates it with others.
public enum WindowProgram {
    /// Serves requests until standard input ends. The first line that it writes says what it runs on. Between requests
    /// every thread sleeps, so that the machine belongs to whoever is asked next.
    ///
    /// `peak f32|bf16|triad`, the peak of multiply-adds in GFLOP/s or the triad in GB/s of this moment, is answered for
    /// every session.
    public static func run<Session: WindowSession>(_ type: Session.Type, name: String) {
        guard CommandLine.arguments.count == 2, let threads = Int(CommandLine.arguments[1]), threads >= 1 else {
            send("usage: \(name) THREADS")
            exit(64)
        }
        guard ThreadSetup.use(threads) == threads else {
            let limit = ThreadLimit.current
            send("{\"error\": \"this process may use \(limit.threads) threads (\(limit.reason))\"}")
            exit(1)
        }
        var session = Session(threads: threads)
        let meter = PeakMeter(threads: threads)
        send("{\"instruction_set\": \"\(InstructionSet.current.rawValue)\", \"threads\": \(threads)}")
        while let line = readLine() {
            do {
                if let answer = try peak(line, meter) ?? session.answer(line) {
                    send(answer)
                } else {
                    send(error: "not understood: \(line)")
                }
            } catch {
                send(error: "\(error)")
            }
        }
    }

    private static func peak(_ request: String, _ meter: PeakMeter) -> String? {
        let words = request.split(separator: " ")
        guard words.count == 2, words[0] == "peak" else { return nil }
        let rate =
            words[1] == "triad" ? meter.triadGigabytes() : Precision(rawValue: String(words[1])).map(meter.gigaFLOPs)
        return rate.map { "{\"rate\": \($0)}" }
    }

    private static func send(error text: String) {
        let plain = text.map { $0 == "\n" ? " " : $0 }.filter { $0 != "\"" && $0 != "\\" }
        send("{\"error\": \"\(String(plain))\"}")
    }

    /// Writes a line at once, whatever standard output is.
    private static func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            if count <= 0 { exit(1) }
            sent += count
        }
    }
}

/// What the system has counted for this process.
public enum ProcessCounters {
    /// How often another program has taken a CPU from one of the threads so far.
    public static var involuntarySwitches: Int { usage.ru_nivcsw }

    /// The most memory that was resident at once so far, in bytes.
    public static var peakResidentBytes: Int { usage.ru_maxrss * 1024 }

    private static var usage: rusage {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage
    }
}
