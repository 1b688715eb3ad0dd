import Foundation
import SSFTestSupport
import Testing

@Suite("ssf-analyze report, as a user drives it")
struct ReportCommandTests {
    private let folder: TemporaryFolder
    private static let hostile = "<script>alert(1)</script>"

    init() throws {
        folder = try TemporaryFolder()
    }

    private func write(_ text: String, to name: String) throws {
        let url = URL(filePath: folder.file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func report(_ arguments: String...) throws -> Binary.Result {
        try Binary.run(program: "ssf-analyze", ["report"] + arguments, folder: folder.path)
    }

    private func page(_ name: String) throws -> String {
        let text = try String(contentsOfFile: folder.file(name), encoding: .utf8)
        #expect(!text.contains("<script") && !text.contains("http://") && !text.contains("https://"))
        return text
    }

    private func makeRun() throws {
        try write(
            "model: \"vit\"  # flag\ndata: \"\(Self.hostile)\"  # flag\nlr: 0.005  # default\nrank: null  # default\n",
            to: "run/args.yaml")
        try write(
            "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr,images_per_second\n0,1.5,1.4,40,90,0.1,5\n1,1.0,1.1,50,95,0.05,5\n",
            to: "run/summary.csv")
        try write(
            """
            {"split":"test","images":4,"skipped_images":0,"loss":0.5,"top1":75,"top5":100,"macro_recall":70,
             "per_class":[{"index":0,"label":"\(Self.hostile)","images":2,"recall":50,"precision":100},
                          {"index":1,"label":"b","images":2,"recall":100}]}
            """, to: "run/results.json")
        try write("true\\predicted,\(Self.hostile),b\n\(Self.hostile),1,1\nb,0,2\n", to: "run/confusion.csv")
    }

    @Test("A run on one page, with pictures of other folders")
    func run() throws {
        try makeRun()
        try write("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", to: "pictures/similarity.svg")
        try write("no picture", to: "pictures/tsne.png")
        let result = try report("run", "--figures", "pictures")
        #expect(result.code == 0, "\(result)")
        #expect(result.out.hasPrefix("run/report.html  "))
        #expect(result.err.contains("tsne.png is no picture"))
        let text = try page("run/report.html")
        for words in [
            "75.00 %", "Curves", "Confusion", "Figures: pictures", "alt=\"similarity\"",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "<td>lr</td><td class=\"n\">0.005</td>", "The commonest mistakes",
        ] {
            #expect(text.contains(words) || text.contains(words.replacing(" class=\"n\"", with: "")), "\(words)")
        }
        #expect(!text.contains(">rank<"))
        #expect(text.components(separatedBy: "<img ").count == 4)
    }

    @Test("A run that did not end says so; a file that cannot be read is named")
    func unfinished() throws {
        try makeRun()
        try FileManager.default.removeItem(atPath: folder.file("run/results.json"))
        try write("{", to: "run/environment.json")
        let result = try report("run", "--output", "page.html", "--title", "My run")
        #expect(result.code == 0 && result.err.contains("environment.json has another form"), "\(result)")
        let text = try page("page.html")
        #expect(text.contains("<title>My run</title>") && text.contains("has no results"))
    }

    @Test("A comparison on one page")
    func comparison() throws {
        try write(
            """
            method,dataset,seeds,trainable,trainable_percent,top1_last_mean,top1_last_std,training_seconds,merges
            linear,birds,2,1930,0.0351,56.65,1.2,3.254,true
            ssf,birds,2,53386,0.97,74.2,0.6,9.0,true
            """, to: "c/comparison.csv")
        try write(
            "dataset,method,status,reason\nbirds,linear,ok,\nbirds,\(Self.hostile),diverged,\"a, b\"\n",
            to: "c/trials.csv")
        try write(
            #"[{"dataset":"birds","first":"linear","second":"ssf","points":-17.5,"low":-20,"high":-15,"tests":[{"seed":0,"test":{"p_value":1e-9}}]}]"#,
            to: "c/differences.json")
        let result = try report("c")
        #expect(result.code == 0 && result.err.isEmpty, "\(result)")
        let text = try page("c/report.html")
        for words in ["74.2 %", "birds: best, by ssf", "53,386", "-17.50", "1.0e-09", "a, b"] {
            #expect(text.contains(words), "\(words)")
        }
    }

    @Test("What is no run, no comparison or no picture is refused by name")
    func refusals() throws {
        try makeRun()
        try write("x", to: "empty/x.txt")
        for (arguments, words) in [
            (["nowhere"], "nowhere: there is no such folder"), (["empty"], "neither the folder of a run nor"),
            (["run", "--figures", "empty"], "there is no picture"), (["run", "--figures", "gone"], "no such folder"),
        ] {
            let result = try Binary.run(program: "ssf-analyze", ["report"] + arguments, folder: folder.path)
            #expect(result.code == 1 && result.err.contains(words), "\(result)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("run/report.html")))
    }
}
