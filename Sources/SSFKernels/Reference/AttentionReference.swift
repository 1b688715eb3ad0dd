import Foundation

extension Reference {
    /// `softmax(scale * q k^T) v` for every batch and head; q, k, v and the result are [B, N, H * D].
    package static func attention(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Double, q: [Double], k: [Double], v: [Double]
    ) -> (out: [Double], logSumExp: [Double]) {
        var out = [Double](repeating: 0, count: q.count)
        var logSums: [Double] = []
        for b in 0..<batch {
            for head in 0..<heads {
                func index(_ token: Int, _ d: Int) -> Int { ((b * tokens + token) * heads + head) * headWidth + d }
                for query in 0..<tokens {
                    let scores = (0..<tokens).map { key in
                        scale * (0..<headWidth).reduce(0) { $0 + q[index(query, $1)] * k[index(key, $1)] }
                    }
                    let logSum = logSumExp(scores)
                    for key in 0..<tokens {
                        let probability = exp(scores[key] - logSum)
                        for d in 0..<headWidth {
                            out[index(query, d)] += probability * v[index(key, d)]
                        }
                    }
                    logSums.append(logSum)
                }
            }
        }
        return (out, logSums)
    }

    /// The gradients of ``attention(batch:tokens:heads:headWidth:scale:q:k:v:)`` with respect to q, k and v.
    ///
    ///     dv[j] = sum over i of P[i, j] dOut[i]
    ///     dP[i, j] = dOut[i] . v[j],   dS[i, j] = P[i, j] (dP[i, j] - dOut[i] . out[i])
    ///     dq[i] = scale * sum over j of dS[i, j] k[j],   dk[j] = scale * sum over i of dS[i, j] q[i]
    package static func attentionBackward(
        batch: Int, tokens: Int, heads: Int, headWidth: Int, scale: Double, q: [Double], k: [Double], v: [Double],
        dOut: [Double]
    ) -> (dq: [Double], dk: [Double], dv: [Double]) {
        let (out, logSums) = attention(
            batch: batch, tokens: tokens, heads: heads, headWidth: headWidth, scale: scale, q: q, k: k, v: v)
        var dq = [Double](repeating: 0, count: q.count)
        var dk = dq
        var dv = dq
        for b in 0..<batch {
            for head in 0..<heads {
                func index(_ token: Int, _ d: Int) -> Int { ((b * tokens + token) * heads + head) * headWidth + d }
                func dot(_ x: [Double], _ i: Int, _ y: [Double], _ j: Int) -> Double {
                    (0..<headWidth).reduce(0) { $0 + x[index(i, $1)] * y[index(j, $1)] }
                }
                for i in 0..<tokens {
                    let delta = dot(dOut, i, out, i)
                    for j in 0..<tokens {
                        let logSum = logSums[(b * heads + head) * tokens + i]
                        let probability = exp(scale * dot(q, i, k, j) - logSum)
                        let dScore = scale * probability * (dot(dOut, i, v, j) - delta)
                        for d in 0..<headWidth {
                            dv[index(j, d)] += probability * dOut[index(i, d)]
                            dq[index(i, d)] += dScore * k[index(j, d)]
                            dk[index(j, d)] += dScore * q[index(i, d)]
                        }
                    }
                }
            }
        }
        return (dq, dk, dv)
    }
}
