import Foundation
import SSFAnalysis
import Testing

@Suite("Where labels stand") struct LabelPlacementTests {
    private static let frame = Rectangle(x: 0, y: 0, width: 400, height: 300)
    /// Points close together, as kernels of one kind are.
    private static let labels = (0..<18).map { i in
        let angle = Double(i) * 2.4
        return PointLabel(
            text: "label \(i)", at: Location(200 + 3 * Double(i) * cos(angle), 150 + 2 * Double(i) * sin(angle)),
            clearance: 4, color: .black)
    }
    private static let sizes = labels.indices.map { (width: 40.0 + Double($0 % 3) * 10, height: 9.0) }
    private static let points = labels.map { label in
        Obstacle.area(Rectangle(x: label.place.x - 2, y: label.place.y - 2, width: 4, height: 4))
    }

    @Test("None covers another or a point, none leaves the frame")
    func apart() {
        let boxes = LabelPlacement.boxes(Self.labels, sizes: Self.sizes, frame: Self.frame, obstacles: Self.points)
        #expect(boxes.count == 18)
        for (i, box) in boxes.enumerated() {
            #expect(Self.frame.contains(box))
            #expect(!boxes[..<i].contains { $0.overlaps(box) }, "label \(i)")
            for case .area(let point) in Self.points { #expect(!point.overlaps(box), "label \(i)") }
        }
    }

    @Test("A label alone stands at the right of its point, close by and without a line to it")
    func alone() {
        let label = PointLabel(text: "x", at: Location(100, 100), clearance: 4, color: .black)
        let box = LabelPlacement.boxes([label], sizes: [(30, 10)], frame: Self.frame, obstacles: [])[0]
        #expect(box.x == 104 && box.center.y == 100)
        #expect(LabelPlacement.leader(from: label.place, to: box, clearance: 4) == nil)
        let far = Rectangle(x: 150, y: 100, width: 30, height: 10)
        #expect(LabelPlacement.leader(from: label.place, to: far, clearance: 4) == Location(150, 100))
    }

    @Test("At the edge a label turns inwards")
    func edge() {
        let label = PointLabel(text: "x", at: Location(395, 5), clearance: 4, color: .black)
        let box = LabelPlacement.boxes([label], sizes: [(30, 10)], frame: Self.frame, obstacles: [])[0]
        #expect(Self.frame.contains(box))
    }

    @Test("The name of a line stands above it, away from what lies there")
    func lines() {
        let line = LineLabel(
            text: "roof", line: [Location(50, 100), Location(350, 100)], position: 0, color: .black)
        let free = LabelPlacement.boxes([line], sizes: [(60, 9)], frame: Self.frame, obstacles: [])[0]
        #expect(free.x == 50 && free.maxY < 100)
        let taken = Obstacle.area(Rectangle(x: 60, y: 80, width: 50, height: 30))
        let moved = LabelPlacement.boxes([line], sizes: [(60, 9)], frame: Self.frame, obstacles: [taken])[0]
        #expect(moved.x >= 110 && moved.maxX <= 350 && moved.maxY < 100)
    }

    @Test("Rectangles know lines and one another")
    func geometry() {
        let square = Rectangle(x: 0, y: 0, width: 10, height: 10)
        #expect(square.meetsLine(from: Location(-5, 5), to: Location(15, 5)))
        #expect(square.meetsLine(from: Location(2, 2), to: Location(3, 3)))
        #expect(!square.meetsLine(from: Location(-5, 11), to: Location(15, 11)))
        #expect(!square.meetsLine(from: Location(-5, 5), to: Location(-1, 5)))
        #expect(!square.overlaps(Rectangle(x: 10, y: 0, width: 5, height: 5)))
        #expect(square.overlaps(square.grown(by: -4)))
    }
}
