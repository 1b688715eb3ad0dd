import SSFKernels

/// What a machine can do, and how near its limits the kernels come: everything that `ssf-analyze kernels` shows.
public struct RooflineReport: Codable, Sendable {
    /// Where and how it was measured.
    public struct Machine: Codable, Sendable, Equatable {
        public var program: String
        public var cpu: String
        public var operatingSystem: String
        /// Whose kernels ran.
        public var instructionSet: InstructionSet
        public var threads: Int
        /// Which CPUs the threads were bound to, or why to none.
        public var affinity: String
        /// Of the beginning, ISO 8601.
        public var date: String
        /// Processes that wanted to run during the last minute before the beginning: this one waits for nobody.
        public var loadAverage: Double?

        public init(
            program: String, cpu: String, operatingSystem: String, instructionSet: InstructionSet, threads: Int,
            affinity: String, date: String, loadAverage: Double?
        ) {
            (self.program, self.cpu, self.operatingSystem) = (program, cpu, operatingSystem)
            (self.instructionSet, self.threads, self.affinity) = (instructionSet, threads, affinity)
            (self.date, self.loadAverage) = (date, loadAverage)
        }

        enum CodingKeys: String, CodingKey {
            case program, cpu, threads, affinity, date
            case operatingSystem = "operating_system"
            case instructionSet = "instruction_set"
            case loadAverage = "load_average"
        }
    }

    /// How the numbers came about, for those who read the file alone.
    public struct Method: Codable, Sendable, Equatable {
        public var secondsPerKernel: Double
        public var counting =
            "flops: a multiply-add is two, an exponential ten; bytes: every operand read once, every result written once; "
            + "seconds: the best call; roof: the lower of the arithmetic peak and intensity times the fastest of triad, read and update; "
            + "peaks: the greater of before and after"

        enum CodingKeys: String, CodingKey {
            case counting
            case secondsPerKernel = "seconds_per_kernel"
        }
    }

    public var machine: Machine
    public var method: Method
    public var caches: [CacheLevel]
    public var peaks: [MeasuredPeak]
    public var kernels: [KernelResult]

    /// States the timings as parts of what the peaks allow.
    ///
    /// - Precondition: `peaks` has the arithmetic peak of the machine's instruction set in single precision, and triad.
    public init(
        machine: Machine, secondsPerKernel: Double, caches: [CacheLevel], peaks: [MeasuredPeak],
        timings: [KernelTiming]
    ) {
        self.machine = machine
        method = Method(secondsPerKernel: secondsPerKernel)
        self.caches = caches
        self.peaks = peaks
        kernels = []
        kernels = timings.map { timing in
            let arithmetic = arithmeticPeak(timing.kernel.precision)
            return KernelResult(
                timing, arithmeticPeak: arithmetic.value, bandwidth: bandwidth.value, triad: triad.value)
        }
    }

    /// The peak of the instruction set whose kernels ran: that of bf16 where it has such an instruction.
    public func arithmeticPeak(_ precision: Precision) -> MeasuredPeak {
        // In single precision the widest set but one runs the code of the widest.
        func peak(_ precision: Precision) -> MeasuredPeak? {
            let sets: [InstructionSet] =
                machine.instructionSet == .avx512bf16
                ? [.avx512bf16, .avx512] : [machine.instructionSet]
            return peaks.first {
                $0.kind == .arithmetic && $0.precision == precision && sets.contains($0.instructionSet)
            }
        }
        guard let found = peak(precision) ?? peak(.float32) else {
            preconditionFailure("no arithmetic peak of \(machine.instructionSet)")
        }
        return found
    }

    /// The fastest of triad, read and update: no kernel moves more from and to memory.
    public var bandwidth: MeasuredPeak {
        guard let found = peaks.filter({ $0.kind != .arithmetic }).max(by: { $0.value < $1.value }) else {
            preconditionFailure("no bandwidth was measured")
        }
        return found
    }

    /// What a kernel comes to whose results go to other places than those it has read, if the processor reads these
    /// first.
    public var triad: MeasuredPeak { peaks.first { $0.kind == .triad } ?? bandwidth }

    /// The greatest drift of a peak that a kernel is measured against.
    public var drift: Double {
        peaks.filter { $0.kind != .arithmetic || $0.instructionSet == arithmeticPeak(.float32).instructionSet }
            .map(\.drift).max() ?? 0
    }

    /// Whether the percentages can be off by more than a few: the machine did something else, or changed its clock.
    public var hasDrifted: Bool { drift > 0.05 }
}
