import ArgumentParser
import SSFCommands

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tune a model by several methods and put them side by side.",
        discussion: """
            Every run is an `ssf train` of its own, in OUTPUT/SET/METHOD/RUN, for each method, seed and set of images; \
            the report stands in OUTPUT: comparison.md, .csv and .json, trials.csv, differences.md and .json, and the \
            accuracy over the trained numbers as accuracy.png, .svg and .pdf. Options of `ssf train` are handed to \
            every run.

            A method may have settings, of its own and of its runs: --methods ssf,lora:rank=4:targets=q+v,vpt-deep:lr=0.01.

            --sweep lr=1e-3,5e-3 tries these values for each method and set and chooses by the validation part; the test \
            part is not read before the choice. VTAB lists: tried on train800 and val200, then trained on both. Other \
            sets: tried on the training and the validation part. Every method has the same number of runs for it.

            Ctrl-C stops after the step; --resume goes on from there. A run that diverges is recorded and reported.
            """)

    @OptionGroup var options: CompareOptions

    func run() throws {
        try Program.begin(threads: nil)
        try Program.end(CompareRun(options: options, console: Console(quiet: options.quiet)).run())
    }
}
