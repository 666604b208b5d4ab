// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite struct SlabPoolTests {
    @Test func lendsUpToItsBound() {
        var pool = SlabPool(bound: 3)
        var buffers = Buffers()
        let attached = buffers.attachAll(from: &pool)
        #expect(attached == [true, true, true, false])
        let counts = (pool.lent, pool.held, pool.bound)
        #expect(counts == (3, 3, 3))
        buffers.releaseAll(to: &pool)
        let after = (pool.lent, pool.held)
        #expect(after == (0, 3), "what came back is kept for the next")
    }

    @Test func lendsTheWarmestFirst() {
        var pool = SlabPool(bound: 2)
        var first = Buffer()
        var second = Buffer()
        _ = first.attach(from: &pool)
        _ = second.attach(from: &pool)
        first.append("first")
        second.append("second")
        first.release(to: &pool)
        second.release(to: &pool)
        _ = first.attach(from: &pool)
        // The slab's old bytes are still there: those of the one that came back last.
        _ = unsafe first.fill { _ in 6 }
        let content = first.readable.string
        #expect(content == "second")
        first.release(to: &pool)
    }

    @Test(arguments: [(0, 2), (1, 3), (2, 4), (5, 4)])
    func trimsIdleSlabsAlone(keeping: Int, held: Int) {
        var pool = SlabPool(bound: 4)
        var buffers = Buffers()
        let attached = buffers.attachAll(from: &pool)
        #expect(attached == [true, true, true, true])
        buffers.third.release(to: &pool)
        buffers.fourth.release(to: &pool)
        pool.trim(keeping: keeping)
        let counts = (pool.lent, pool.held)
        #expect(counts == (2, held))
        let again = buffers.attachAll(from: &pool)
        #expect(again == [true, true, true, true], "what was trimmed can be lent anew")
        buffers.releaseAll(to: &pool)
    }
}

private struct Buffers: ~Copyable {
    var first = Buffer()
    var second = Buffer()
    var third = Buffer()
    var fourth = Buffer()

    mutating func attachAll(from pool: inout SlabPool) -> [Bool] {
        [
            first.attach(from: &pool), second.attach(from: &pool), third.attach(from: &pool),
            fourth.attach(from: &pool),
        ]
    }

    mutating func releaseAll(to pool: inout SlabPool) {
        first.release(to: &pool)
        second.release(to: &pool)
        third.release(to: &pool)
        fourth.release(to: &pool)
    }
}
