import CIntrinsics

#if SSF_AVX512

    /// Four vectors that go through the same steps in turn: a, b, c, d, a, b, c, d, ...
    ///
    /// A function of fifty dependent steps waits for itself: the processor would have to look several hundred instructions
    /// ahead to fill the gaps with the next vector, and the compiler puts instructions in the order that saves registers.
    /// Every operation here therefore ends in an order that the compiler must keep (GELU gains a quarter).
    struct FourLanes {
        var a, b, c, d: Lanes

        @inline(always)
        init(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) {
            self.a = ssf_in_order16(a)
            self.b = ssf_in_order16(b)
            self.c = ssf_in_order16(c)
            self.d = ssf_in_order16(d)
        }

        /// Four vectors from memory.
        @inline(always)
        init(_ address: UnsafePointer<Float>) {
            self.init(
                load(address), load(address + laneCount), load(address + 2 * laneCount), load(address + 3 * laneCount))
        }
    }

    @inline(always)
    func * (x: FourLanes, y: FourLanes) -> FourLanes {
        FourLanes(x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d)
    }

    @inline(always)
    func + (x: FourLanes, y: FourLanes) -> FourLanes {
        FourLanes(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d)
    }

    @inline(always)
    func + (x: FourLanes, y: Lanes) -> FourLanes {
        FourLanes(x.a + y, x.b + y, x.c + y, x.d + y)
    }

    @inline(always)
    func - (x: FourLanes, y: Lanes) -> FourLanes {
        FourLanes(x.a - y, x.b - y, x.c - y, x.d - y)
    }

    @inline(always)
    func - (x: FourLanes, y: FourLanes) -> FourLanes {
        FourLanes(x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d)
    }

    @inline(always)
    func multiplyAdd(_ x: FourLanes, _ y: FourLanes, _ z: FourLanes) -> FourLanes {
        FourLanes(
            multiplyAdd(x.a, y.a, z.a), multiplyAdd(x.b, y.b, z.b), multiplyAdd(x.c, y.c, z.c),
            multiplyAdd(x.d, y.d, z.d))
    }

    @inline(always)
    func multiplyAdd(_ x: FourLanes, _ y: FourLanes, _ z: Lanes) -> FourLanes {
        FourLanes(
            multiplyAdd(x.a, y.a, z), multiplyAdd(x.b, y.b, z), multiplyAdd(x.c, y.c, z), multiplyAdd(x.d, y.d, z))
    }

    @inline(always)
    func multiplyAdd(_ x: FourLanes, _ y: Lanes, _ z: FourLanes) -> FourLanes {
        FourLanes(
            multiplyAdd(x.a, y, z.a), multiplyAdd(x.b, y, z.b), multiplyAdd(x.c, y, z.c), multiplyAdd(x.d, y, z.d))
    }

    @inline(always)
    func multiplyAdd(_ x: FourLanes, _ y: Lanes, _ z: Lanes) -> FourLanes {
        FourLanes(multiplyAdd(x.a, y, z), multiplyAdd(x.b, y, z), multiplyAdd(x.c, y, z), multiplyAdd(x.d, y, z))
    }

    @inline(always)
    func multiplySubtract(_ x: FourLanes, _ y: FourLanes, from z: FourLanes) -> FourLanes {
        FourLanes(
            multiplySubtract(x.a, y.a, from: z.a), multiplySubtract(x.b, y.b, from: z.b),
            multiplySubtract(x.c, y.c, from: z.c), multiplySubtract(x.d, y.d, from: z.d))
    }

    @inline(always)
    func maximum(_ x: FourLanes, _ y: Lanes) -> FourLanes {
        FourLanes(maximum(x.a, y), maximum(x.b, y), maximum(x.c, y), maximum(x.d, y))
    }

    @inline(always)
    func boundedMagnitude(_ x: FourLanes) -> FourLanes {
        FourLanes(boundedMagnitude(x.a), boundedMagnitude(x.b), boundedMagnitude(x.c), boundedMagnitude(x.d))
    }

    /// The pieces of four vectors, as ``normalPieces(_:)``, in the bits of floats.
    @inline(always)
    func normalPieces(_ x: FourLanes) -> FourLanes {
        FourLanes(
            unsafeBitCast(normalPieces(x.a), to: Lanes.self), unsafeBitCast(normalPieces(x.b), to: Lanes.self),
            unsafeBitCast(normalPieces(x.c), to: Lanes.self), unsafeBitCast(normalPieces(x.d), to: Lanes.self))
    }

    @inline(always)
    func lookUp(_ table: Lanes, _ indices: FourLanes) -> FourLanes {
        FourLanes(
            lookUp(table, unsafeBitCast(indices.a, to: LaneInts.self)),
            lookUp(table, unsafeBitCast(indices.b, to: LaneInts.self)),
            lookUp(table, unsafeBitCast(indices.c, to: LaneInts.self)),
            lookUp(table, unsafeBitCast(indices.d, to: LaneInts.self)))
    }

    /// `x` with the number in the low bits of `shifted` added to its exponent.
    @inline(always)
    func addingExponent(_ shifted: FourLanes, to x: FourLanes) -> FourLanes {
        FourLanes(
            addingExponent(shifted.a, to: x.a), addingExponent(shifted.b, to: x.b), addingExponent(shifted.c, to: x.c),
            addingExponent(shifted.d, to: x.d))
    }

#endif
