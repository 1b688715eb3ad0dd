import ArgumentParser
import Foundation
import SSFKernels
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

    /// Sets the threads before the first computation and binds them to CPUs. More than the process may use are not taken,
    /// which is said.
    ///
    /// - Returns: what came of the binding.
    /// - Throws: `UserError` when `SSF_ISA` names an instruction set that this machine or this build does not have.
    @discardableResult
    public static func begin(_ options: RuntimeOptions) throws -> Parallel.Pinning {
        try begin(threads: options.threads)
    }

    /// The same for a command that takes no other option of these.
    ///
    /// - Parameter threads: nil for what the process may use.
    @discardableResult
    public static func begin(threads: Int?) throws -> Parallel.Pinning {
        if let problem = InstructionSet.selection.problem {
            throw UserError(problem, remedy: "unset SSF_ISA, or set it to one of these")
        }
        if let threads {
            let granted = Parallel.setThreads(threads)
            if granted < threads {
                Console().warning(
                    "--threads \(threads): this process may use \(granted) (\(ThreadLimit.current.reason))")
            }
        }
        return Parallel.pinProgram()
    }

    /// Ends a command with an exit code.
    public static func end(_ code: Int32) throws {
        if code != 0 { throw ExitCode(code) }
    }
}
