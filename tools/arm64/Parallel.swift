/// What the kernels use of `SSFParallel`, on one thread: Embedded Swift has no task-local values, and the check is of
/// numbers. Results do not depend on the number of threads, as the tests of the library show.
public enum Parallel {
    public typealias Body = @Sendable @convention(c) (_ context: UnsafeRawPointer, _ chunk: Int, _ slot: Int) -> Void

    public static var threads: Int { 1 }

    public static func run<Context>(chunks: Int, team: Int = Parallel.threads, context: Context, body: Body) {
        withUnsafePointer(to: context) { context in
            for chunk in 0..<max(chunks, 0) { body(UnsafeRawPointer(context), chunk, 0) }
        }
    }
}
