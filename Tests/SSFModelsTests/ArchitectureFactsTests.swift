import Foundation
import SSFCheckpoints
import SSFModels
import SSFTensors
import SSFTestSupport
import Testing

/// What is derived from an architecture's name, against timm's whole table of plain vision transformers.
@Suite struct ArchitectureFactsTests {
    private struct Table: Decodable {
        struct Entry: Decodable {
            let width: Int?
            let heads: Int?
            let eps: Double?
            let uncovered: String?
        }
        let architectures: [String: Entry]
    }

    @Test func headsEpsilonAndActivationAgreeWithTimm() throws {
        let table = try JSONDecoder().decode(Table.self, from: Data(contentsOf: Goldens.url("architectures.json")))
        #expect(table.architectures.count > 150)
        for (name, entry) in table.architectures {
            guard let width = entry.width else { continue }  // timm could not build it; it says why
            let facts = ArchitectureFacts(name, width: width)
            switch entry.uncovered {
            case nil:
                #expect((facts.heads ?? width / 64) == entry.heads, "\(name)")
                #expect(facts.epsilon == entry.eps, "\(name)")
                #expect(facts.otherActivation == nil, "\(name)")
            case let reason? where reason.hasPrefix("activation"):
                #expect(facts.otherActivation != nil, "\(name)")
            default: break
            }
        }
    }
}
