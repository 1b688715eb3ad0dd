import ArgumentParser
import Foundation
import SSFParallel
import SSFTensors

/// What every program does around its commands: threads at the start, errors and exit codes at the end.
public enum Program {
    /// Parses and runs, and ends the process: 0 done, 1 failed, 2 a check did not hold, 64 wrong usage.
    public static func main(_ root: any ParsableCommand.Type) {
        StandardOutput.reserveStreams()
        do {
            var command = try root.parseAsRoot()
            try command.run()
        } catch let error as UserError {
            Console().error(error.description)
            exit(1)
        } catch {
            root.exit(withError: error)
        }
    }

    /// Sets the threads before the first computation and binds them to CPUs.
    public static func begin(_ options: RuntimeOptions) {
        if let threads = options.threads { Parallel.setThreads(threads) }
        _ = Parallel.pinProgram()
    }

    /// Ends a command with an exit code.
    public static func end(_ code: Int32) throws {
        if code != 0 { throw ExitCode(code) }
    }
}
