import SSFKernels
import SSFParallel

extension NeighborGraph {
    /// The k nearest neighbours of every row by Euclidean distance, exactly.
    ///
    /// Half the squared distance, less what is the same for all candidates of a row, is |x_j|²/2 - x_i x_j: a matrix
    /// product in single precision over centred rows, block by block. A column of its own makes it a lower bound: it
    /// subtracts the largest possible error, a part of |x_i| |x_j|. What lies below the k-th smallest upper bound so far
    /// is kept; what is left in the end, k and few more, is measured in double precision on the rows as they were given.
    ///
    /// - Accuracy: the neighbours that double precision finds; ties go to the lower number.
    /// - Threading: over rows; the same for every thread count.
    /// - Precondition: 0 < k < rows.
    public init(nearestNeighborsIn features: SampleMatrix, k: Int) {
        let count = features.rows
        precondition(k > 0 && k < count, "\(k) neighbours among \(count) rows")
        precondition(count < Int(Int32.max), "\(count) rows")
        let width = features.columns + 1
        var rows = features.centered(extraColumns: 1)
        // The error of a product of d terms that are rounded before and summed in single precision, as a part of the
        // product of the norms: d roundings in the sum, and a few around it.
        let bound = Float(features.columns + 16) * 0x1p-24
        var norms = [Float](repeating: 0, count: count)
        var halves = [Float](repeating: 0, count: count)
        rows.withUnsafeMutableBufferPointer { rows in
            for row in 0..<count {
                let x = rows.baseAddress! + row * width
                let squared = Elementwise.sumOfSquares(count: width - 1, x: x)
                norms[row] = Float(squared.squareRoot())
                // As a column of both factors it adds bound |x_i| |x_j| to their product.
                x[width - 1] = Float((Double(bound) * squared).squareRoot())
                halves[row] = Float(squared / 2 * (1 - 0x1p-20))
            }
        }
        var indices = [Int32](repeating: 0, count: count * k)
        var distances = [Double](repeating: 0, count: count * k)
        let columns = NeighborSearch.blockColumns
        let table = KernelTable.current
        let team = Parallel.threads
        let minusOne = [Float](repeating: -1, count: columns)
        features.values.withUnsafeBufferPointer { values in
            rows.withUnsafeBufferPointer { rows in
                norms.withUnsafeBufferPointer { norms in
                    halves.withUnsafeBufferPointer { halves in
                        minusOne.withUnsafeBufferPointer { minusOne in
                            indices.withUnsafeMutableBufferPointer { indices in
                                distances.withUnsafeMutableBufferPointer { distances in
                                    let search = NeighborSearch(
                                        count: count, k: k, width: width, values: values.baseAddress!,
                                        rows: rows.baseAddress!, norms: norms.baseAddress!,
                                        halves: halves.baseAddress!, minusOne: minusOne.baseAddress!, bound: bound,
                                        packed: stride(from: 0, to: count, by: columns).map { first in
                                            GEMM.pack(
                                                k: width, n: min(columns, count - first),
                                                b: rows.baseAddress! + first * width, rowStride: 1,
                                                columnStride: width, table: table)
                                        },
                                        slots: (0..<team).map { _ in NeighborSearch.Slot(k: k) },
                                        indices: indices.baseAddress!, distances: distances.baseAddress!,
                                        table: table)
                                    search.run(team: team)
                                }
                            }
                        }
                    }
                }
            }
        }
        self.init(count: count, k: k, indices: indices, squaredDistances: distances)
    }
}

/// A search on its way: what every chunk of it reads.
private struct NeighborSearch {
    /// Rows whose neighbours one chunk finds, and columns of a block of the product: 64 x 1024 results and a panel of
    /// 1024 rows of 50 numbers lie in the second-level cache together.
    static let chunkRows = 64
    static let blockColumns = 1024

    let count, k, width: Int
    /// As they were given, [count, width - 1].
    let values: UnsafePointer<Float>
    /// Centred, with the column of the bound, [count, width].
    let rows: UnsafePointer<Float>
    /// |x|, and |x|²/2 a little less, of the centred rows.
    let norms, halves: UnsafePointer<Float>
    let minusOne: UnsafePointer<Float>
    let bound: Float
    let packed: [PackedMatrix]
    let slots: [Slot]
    let indices: UnsafeMutablePointer<Int32>
    let distances: UnsafeMutablePointer<Double>
    let table: KernelTable

    /// The scratch memory of a thread.
    final class Slot {
        let workspace = Workspace()
        let product = UnsafeMutablePointer<Float>.allocate(capacity: chunkRows * blockColumns)
        let lists: [CandidateList]

        init(k: Int) {
            lists = (0..<chunkRows).map { _ in CandidateList(wanted: k + 1, appended: blockColumns) }
        }

        deinit { product.deallocate() }
    }

    func run(team: Int) {
        let chunks = (count + Self.chunkRows - 1) / Self.chunkRows
        Parallel.run(chunks: chunks, team: team, context: self) { context, chunk, slot in
            let search = context.assumingMemoryBound(to: NeighborSearch.self)
            search.pointee.find(chunk, search.pointee.slots[slot])
        }
    }

    private func find(_ chunk: Int, _ slot: Slot) {
        let first = chunk * Self.chunkRows
        let found = min(Self.chunkRows, count - first)
        for list in slot.lists { list.removeAll() }
        // Rows next to each other in a file are often alike: their own block first, and the threshold is low from then on.
        let own = first / Self.blockColumns
        for offset in 0..<packed.count {
            let block = (own + offset) % packed.count
            let firstColumn = block * Self.blockColumns
            let columns = packed[block].n
            GEMM.multiply(
                m: found, n: columns, k: width, a: rows + first * width, aRowStride: width, aColumnStride: 1,
                packed: packed[block], c: slot.product, cRowStride: Self.blockColumns,
                epilogue: GEMMEpilogue(scale: minusOne, shift: halves + firstColumn), workspace: slot.workspace,
                table: table)
            for i in 0..<found {
                let list = slot.lists[i]
                list.append(
                    count: columns, bounds: slot.product + i * Self.blockColumns, firstIndex: firstColumn,
                    table: table)
                if list.isFull { tighten(list, row: first + i) }
            }
        }
        for i in 0..<found {
            let list = slot.lists[i]
            tighten(list, row: first + i)
            measure(list, row: first + i)
        }
    }

    /// Leaves those whose lower bound is not above the k-th smallest upper bound.
    private func tighten(_ list: CandidateList, row: Int) {
        // The widths of the bounds: twice that of the product, what `halves` lacks, and as much again of |x_i|² for the
        // rounding of the centred rows.
        let product = 2 * bound * norms[row]
        let own = norms[row] * norms[row] * 0x1p-20
        list.tighten { lower, index in
            let norm = norms[Int(index)]
            return lower + product * norm + norm * norm * 0x1p-20 + own
        }
    }

    private func measure(_ list: CandidateList, row: Int) {
        let columns = width - 1
        list.measure(excluding: Int32(row)) { index in
            Candidates.squaredDistance(
                count: columns, x: values + row * columns, y: values + Int(index) * columns, table: table)
        }
        for i in 0..<k {
            indices[row * k + i] = list.measured[i].index
            distances[row * k + i] = list.measured[i].distance
        }
    }
}
