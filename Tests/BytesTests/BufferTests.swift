// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

/// Runs `body` with a buffer that holds a slab, and gives the slab back.
func withBuffer(_ body: (inout Buffer) -> Void) {
    var pool = SlabPool(bound: 1)
    var buffer = Buffer()
    let isAttached = buffer.attach(from: &pool)
    #expect(isAttached)
    body(&buffer)
    buffer.release(to: &pool)
    let lent = pool.lent
    #expect(lent == 0)
}

@Suite struct BufferTests {
    @Test func withoutASlabItHoldsNothing() {
        var buffer = Buffer()
        let (isAttached, room, isEmpty) = (buffer.isAttached, buffer.room, buffer.isEmpty)
        #expect(!isAttached && room == 0 && isEmpty)
        let readable = buffer.readable.array
        #expect(readable.isEmpty)
        buffer.append(UInt8(1))
        let (overflowed, count) = (buffer.overflowed, buffer.count)
        #expect(overflowed && count == 0)
        let filled = unsafe buffer.fill { _ in 1 }
        #expect(filled == 0)
    }

    @Test func attachingClearsTheOverflowAndIsRefusedAtTheBound() {
        var pool = SlabPool(bound: 1)
        var first = Buffer()
        var second = Buffer()
        first.append(UInt8(1))
        let attached = (first.attach(from: &pool), first.attach(from: &pool))
        #expect(attached == (true, true), "attaching twice is attaching once")
        let lent = pool.lent
        #expect(lent == 1)
        let overflowed = first.overflowed
        #expect(!overflowed)
        let refused = second.attach(from: &pool)
        #expect(!refused)
        first.release(to: &pool)
        let secondTry = second.attach(from: &pool)
        #expect(secondTry)
        second.release(to: &pool)
    }

    @Test func consumesFromTheFront() {
        withBuffer { buffer in
            buffer.append("hello world")
            buffer.consume(6)
            let rest = buffer.readable.string
            #expect(rest == "world")
            buffer.consume(5)
            let (isEmpty, room) = (buffer.isEmpty, buffer.room)
            #expect(isEmpty)
            #expect(room == Slab.capacity, "an empty buffer starts at the front again")
        }
    }

    @Test func compactionMovesWhatWaitsToTheFront() {
        withBuffer { buffer in
            let content = (0..<Slab.capacity).map { UInt8(truncatingIfNeeded: $0) }
            buffer.append(array: content)
            let room = buffer.room
            #expect(room == 0)
            buffer.consume(1000)
            let rooms = (buffer.room, buffer.roomAfterCompaction)
            #expect(rooms == (0, 1000))
            buffer.compact()
            let roomAfter = buffer.room
            #expect(roomAfter == 1000)
            let kept = buffer.readable.array
            #expect(kept == Array(content[1000...]), "the two ranges overlap")
        }
    }

    @Test func truncationTakesBackFromTheEnd() {
        withBuffer { buffer in
            buffer.append("xxkeep me, drop me")
            buffer.consume(2)
            buffer.truncate(to: 7)
            let kept = buffer.readable.string
            #expect(kept == "keep me")
            buffer.append("!")
            let grown = buffer.readable.string
            #expect(grown == "keep me!")
            buffer.clear()
            let isEmpty = buffer.isEmpty
            #expect(isEmpty)
        }
    }

    @Test func writesInPlace() {
        withBuffer { buffer in
            buffer.append("abc")
            buffer.consume(1)
            var writable = buffer.writable
            writable[0] = UInt8(ascii: "B")
            let changed = buffer.readable.string
            #expect(changed == "Bc")
        }
    }

    @Test func fillIsBoundedByRoomAndLimit() {
        withBuffer { buffer in
            buffer.append("ab")
            let taken = unsafe buffer.fill(limit: 10) { region in
                #expect(region.count == 10)
                unsafe region.storeBytes(of: UInt8(ascii: "c"), as: UInt8.self)
                return 1
            }
            #expect(taken == 1)
            let content = buffer.readable.string
            #expect(content == "abc")
            _ = unsafe buffer.fill { region in
                #expect(region.count == Slab.capacity - 3)
                return 0
            }
        }
    }

    @Test func aFailedFillAddsNothing() {
        struct Reset: Error {}
        withBuffer { buffer in
            buffer.append("ab")
            var isThrown = false
            do throws(Reset) {
                _ = unsafe try buffer.fill { (_) throws(Reset) in throw Reset() }
            } catch {
                isThrown = true
            }
            let content = buffer.readable.string
            #expect(isThrown && content == "ab")
        }
    }

    @Test func releasesWhenEmptyOnly() {
        var pool = SlabPool(bound: 1)
        var buffer = Buffer()
        _ = buffer.attach(from: &pool)
        buffer.append("x")
        buffer.releaseIfEmpty(to: &pool)
        let isKept = buffer.isAttached
        #expect(isKept)
        buffer.consume(1)
        buffer.releaseIfEmpty(to: &pool)
        let isAttached = buffer.isAttached
        #expect(!isAttached)
        buffer.release(to: &pool)
        let lent = pool.lent
        #expect(lent == 0, "releasing twice gives back once")
    }

    /// Random operations against an array that does the same.
    @Test(arguments: 0..<20 as Range<UInt64>) func agreesWithAnArray(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        withBuffer { buffer in
            var model: [UInt8] = []
            var consumed = 0
            for _ in 0..<300 {
                switch Int.random(in: 0..<5, using: &random) {
                case 0, 1:
                    let size = Int.random(in: 0...4000, using: &random)
                    let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
                    let fits = consumed + model.count + size <= Slab.capacity
                    buffer.overflowed = false
                    buffer.append(bytes.span)
                    if fits { model += bytes }
                    let overflowed = buffer.overflowed
                    #expect(overflowed == !fits)
                case 2:
                    let amount = Int.random(in: 0...model.count, using: &random)
                    buffer.consume(amount)
                    model.removeFirst(amount)
                    consumed = model.isEmpty ? 0 : consumed + amount
                case 3:
                    buffer.compact()
                    consumed = 0
                default:
                    guard model.count > 1 else { continue }
                    let count = Int.random(in: 1...model.count, using: &random)
                    buffer.truncate(to: count)
                    model.removeLast(model.count - count)
                }
                let (content, room) = (buffer.readable.array, buffer.room)
                #expect(content == model, "seed \(seed)")
                #expect(room == Slab.capacity - consumed - model.count, "seed \(seed)")
            }
        }
    }
}
