extension Reference {
    /// `weight = sum_s m_s q`, `force = sum_s m_s q² (t - s)` for every target, q = 1 / (1 + |t - s|²).
    package static func repel(
        x: [Double], y: [Double], sourceX: [Double], sourceY: [Double], mass: [Double]
    ) -> (forceX: [Double], forceY: [Double], weight: [Double]) {
        var (forceX, forceY, weight) = (x.map { _ in 0.0 }, x.map { _ in 0.0 }, x.map { _ in 0.0 })
        for t in x.indices {
            for s in mass.indices {
                let (dx, dy) = (x[t] - sourceX[s], y[t] - sourceY[s])
                let q = 1 / (1 + dx * dx + dy * dy)
                weight[t] += mass[s] * q
                forceX[t] += mass[s] * q * q * dx
                forceY[t] += mass[s] * q * q * dy
            }
        }
        return (forceX, forceY, weight)
    }

    /// `force[i] = sum_j p_ij q (y_i - y_j)`; `rows[i]` lists the edges (j, p_ij) of a point, points are [count, 2].
    package static func attract(rows: [[(index: Int, value: Double)]], points: [Double]) -> [Double] {
        var force = points.map { _ in 0.0 }
        for i in rows.indices {
            for edge in rows[i] {
                let dx = points[2 * i] - points[2 * edge.index]
                let dy = points[2 * i + 1] - points[2 * edge.index + 1]
                let pq = edge.value / (1 + dx * dx + dy * dy)
                force[2 * i] += pq * dx
                force[2 * i + 1] += pq * dy
            }
        }
        return force
    }

    /// `out[i, j] = sum_kl kernel(|i - k|, |j - l|) grid[k, l]` for grids [size, size].
    package static func convolve(size: Int, grid: [Double], kernel: (Int, Int) -> Double) -> [Double] {
        (0..<size * size).map { place in
            var sum = 0.0
            for k in 0..<size {
                for l in 0..<size { sum += kernel(abs(place / size - k), abs(place % size - l)) * grid[k * size + l] }
            }
            return sum
        }
    }
}
