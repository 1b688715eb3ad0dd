import Glibc
import KernelCases
import SSFKernels
import SSFParallel

// Runs kernels in windows on demand, for a driver that alternates them with those of other libraries:
//
//     kernel-windows THREADS
//
// Every line of standard input is a request, and is answered by one line of JSON:
//
//     case NAME LINE          prepares the case that LINE names, to be called NAME from here on
//     window NAME SECONDS     calls it for that long, after calls that are not counted
//     peak f32|bf16|triad     the peak of multiply-adds in GFLOP/s, or the triad in GB/s, now
//     drop NAME               gives its memory back
//
// The first line that it writes says what it runs on. It ends with its standard input. Between requests every thread
// sleeps, so that the machine belongs to whoever is asked next.

/// Writes a line at once, whatever standard output is.
func send(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    var sent = 0
    while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        if count <= 0 { exit(1) }
        sent += count
    }
}

guard CommandLine.arguments.count == 2, let threads = Int(CommandLine.arguments[1]), threads >= 1 else {
    send("usage: kernel-windows THREADS")
    exit(64)
}
guard ThreadSetup.use(threads) == threads else {
    send("{\"error\": \"this process may use \(ThreadLimit.current.threads) threads (\(ThreadLimit.current.reason))\"}")
    exit(1)
}

var session = WindowSession(threads: threads)
send(session.description)
while let line = readLine() { send(session.answer(line)) }
