import ArgumentParser
import SSFCommands

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tune a pre-trained model on a set of images.",
        discussion: """
            Settings come from the command line, then from the file given with --config, then from the run that is \
            resumed, then from this table:

            \(TrainingDefaults.table.joined(separator: "\n"))

            drawn: --data synthetic:TASK. none: resized directly, shown whole. crop, flip: random resized crop and \
            horizontal flip. The input size is the model's own. Without a validation part the last epoch is the best.
            """)

    @OptionGroup var options: TrainOptions

    func run() throws {
        try Program.begin(options.runtime)
        let run = try TrainingRun(options: options, console: Console(quiet: options.runtime.quiet))
        if options.dryRun {
            try run.dryRun()
        } else if let steps = options.profile {
            try run.profile(steps: steps)
        } else {
            try Program.end(run.run())
        }
    }
}
