import SSFCommands
import SSFTuning
import Testing

@Suite("Settings of tuning methods")
struct MethodOptionsTests {
    /// A method's option that the command line does not have could not be given.
    @Test("Every option of every method is on the command line, and no other")
    func complete() {
        let declared = Set(TuningRegistry.types.flatMap { $0.options.map(\.key) })
        #expect(declared == Set(MethodOptions.keys))
        #expect(Set(MethodOptions.keys).count == MethodOptions.keys.count)
        #expect(Set(MethodOptions.keys).isSubset(of: TrainSettings.keys))
        #expect(Set(TrainSettings.keys).count == TrainSettings.keys.count, "no key stands twice")
    }

    @Test("Every method has a learning rate of its own in the table of defaults")
    func defaults() {
        let table = TrainingDefaults.table.joined(separator: "\n")
        for (name, _) in TuningRegistry.methods { #expect(table.contains("\(name) "), "\(name)") }
    }
}
