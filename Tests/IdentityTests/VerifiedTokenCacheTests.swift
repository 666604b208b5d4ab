// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import TestSupport
import Testing

@Suite("Tokens that were verified")
struct VerifiedTokenCacheTests {
    /// A cache, and key sets whose versions are moved by hand.
    final class Shelf {
        private var cache: VerifiedTokenCache
        var versions: [UInt64] = [1, 1]
        var token: VerifiedToken

        init(capacity: Int = 64) throws {
            cache = VerifiedTokenCache(capacity: capacity)
            // Of the second issuer, until sixty seconds from now.
            token = try Provider().verified(Provider.token(by: .edDSA))
        }

        func digest(_ number: Int) throws -> SHA256Digest { try sha256(Array("\(number)".utf8)) }

        func keep(_ number: Int, now: UInt64 = Provider.now, version: UInt64 = 1) throws {
            cache.keep(
                token, try digest(number), version: version, tag: UInt64(number), now: now)
        }

        func find(_ number: Int, now: UInt64 = Provider.now) throws -> UInt64? {
            let hit = cache.find(try digest(number), now: now) { versions[$0] }
            if let hit { #expect(hit.token === token) }
            return hit?.tag
        }

        var count: Int { cache.count }
        var capacity: Int { cache.capacity }
    }

    @Test func whatIsKeptIsFound() throws {
        let shelf = try Shelf()
        #expect(try shelf.find(1) == nil)
        try shelf.keep(1)
        try shelf.keep(2)
        #expect(try shelf.find(1) == 1)
        #expect(try shelf.find(2) == 2)
        #expect(try shelf.find(3) == nil)
        try shelf.keep(1)
        #expect(shelf.count == 2)
    }

    @Test func tokensEnd() throws {
        let shelf = try Shelf()
        try shelf.keep(1)
        #expect(try shelf.find(1, now: Provider.now + 59) == 1)
        #expect(try shelf.find(1, now: Provider.now + 60) == nil)
        #expect(shelf.count == 0)
    }

    @Test func anotherKeySetEndsThem() throws {
        let shelf = try Shelf()
        try shelf.keep(1)
        shelf.versions[0] = 2
        #expect(try shelf.find(1) == 1, "of another issuer")
        shelf.versions[1] = 2
        #expect(try shelf.find(1) == nil)
        #expect(shelf.count == 0)
        // One that was verified under the old set, and is kept after the change.
        try shelf.keep(2, version: 1)
        #expect(try shelf.find(2) == nil)
        try shelf.keep(3, version: 2)
        #expect(try shelf.find(3) == 3)
    }

    @Test func capacities() throws {
        for (asked, given) in [(1, 8), (8, 8), (9, 16), (1024, 1024)] {
            #expect(try Shelf(capacity: asked).capacity == given)
        }
        let shelf = try Shelf(capacity: 64)
        for number in 0..<1000 {
            try shelf.keep(number)
            #expect(try shelf.find(number) == UInt64(number))
        }
        #expect(shelf.count == 64)
    }

    /// Whoever comes with a new token each time pushes out its own, not one that is in use.
    @Test func whatIsInUseStays() throws {
        let shelf = try Shelf(capacity: 64)
        let inUse = Array(0..<8)
        for number in inUse {
            try shelf.keep(number)
            #expect(try shelf.find(number) == UInt64(number))
        }
        for number in 100..<1000 {
            try shelf.keep(number)
            // Asked for before the hand can come round to it twice.
            if number % 2 == 0 {
                for number in inUse { #expect(try shelf.find(number) == UInt64(number)) }
            }
        }
        // Once nobody asks for them they go.
        for number in 1000..<3000 { try shelf.keep(number) }
        for number in inUse { #expect(try shelf.find(number) == nil) }
    }

    @Test func whatIsOverGivesWayFirst() throws {
        let shelf = try Shelf(capacity: 8)
        for number in 0..<8 {
            try shelf.keep(number)
            #expect(try shelf.find(number) != nil)
        }
        // All end at once; the newcomers take their places, and push out none of their own.
        let later = Provider.now + 60
        shelf.token = try Provider().verified(
            Provider.token(payload: Provider.payload(times: #""exp":1800000000,"iat":1"#)))
        for number in 8..<16 {
            try shelf.keep(number, now: later)
            #expect(shelf.count == 8)
        }
        for number in 8..<16 { #expect(try shelf.find(number, now: later) == UInt64(number)) }
    }

    /// Against a dictionary that forgets nothing: a hit is always right, and what ended or was
    /// verified under older keys is never one.
    @Test(arguments: [1, 2, 3])
    func anOracle(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let shelf = try Shelf(capacity: 32)
        var known: [Int: UInt64] = [:]
        var now = Provider.now
        for _ in 0..<5000 {
            let number = Int.random(in: 0..<64, using: &random)
            switch Int.random(in: 0..<100, using: &random) {
            case 0: shelf.versions[1] += 1
            case 1: now = Provider.now + UInt64.random(in: 0..<70, using: &random)
            case 2..<40:
                try shelf.keep(number, now: now, version: shelf.versions[1])
                known[number] = shelf.versions[1]
            default:
                guard let tag = try shelf.find(number, now: now) else { continue }
                #expect(tag == UInt64(number))
                #expect(known[number] == shelf.versions[1])
                #expect(now < shelf.token.expires)
            }
        }
        #expect(shelf.count <= 32)
    }
}
