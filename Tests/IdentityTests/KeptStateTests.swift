// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import TestSupport
import Testing

@Suite("Kept state")
struct KeptStateTests {
    static func key(_ text: String = "0123456789abcdef0123456789abcdef") throws -> StateKey {
        try StateKey(text: Array(text.utf8).span)
    }

    static func open(_ sealed: [UInt8], _ key: StateKey) throws -> KeptState {
        try key.open(sealed.span)
    }

    static func decode(_ bytes: [UInt8]) throws -> KeptState {
        try KeptState(decoding: bytes.span)
    }

    static func bytes(_ secret: SecretBytes) -> [UInt8] { secret.span.array }

    static func full() throws -> KeptState {
        var state = KeptState()
        state.savedAt = 1_700_000_000_123
        for name in ["a", "b", "c"] {
            let seed = try TOTPSeed.generate(parameters: .standard)
            _ = state.seeds.meet(seed, of: name, among: [], now: 5, grace: 0)
        }
        for agent in ["a", "b", "b"] {
            let seed = try TOTPSeed.generate(parameters: .standard)
            state.seeds.rotate(
                agent, to: KeptSeed(seed, since: 7, origin: .call), oldEndsAt: 900, 7)
        }
        var ring = KeyRing(
            first: try KeptKey(.generate(.rs256), since: 1, origin: .file, signsFrom: 1),
            tokenLife: 60_000)
        try ring.publish(.generate(.edDSA), origin: .call, now: 2)
        _ = ring.advance(now: 10_000_000)
        try ring.publish(.generate(.es256), origin: .made, now: 10_000_001)
        state.keys = ring
        state.keep(
            KeptAnswer(
                key: SHA256Digest(1, 2, 3, 4), request: SHA256Digest(5, 6, 7, 8), at: 9,
                rotationID: "r", traceID: "t", agent: "a", oldEndsAt: 10))
        return state
    }

    @Test func itIsReadAsItWasKept() throws {
        let state = try Self.full()
        let encoded = Self.bytes(try state.encoded())
        let again = try Self.decode(encoded)
        #expect(again.savedAt == state.savedAt)
        #expect(again.answers == state.answers)
        #expect(again.seeds.superseded == state.seeds.superseded)
        #expect(Set(again.seeds.agents.keys) == ["a", "b", "c"])
        for (name, live) in state.seeds.agents {
            let other = try #require(again.seeds.agents[name])
            #expect(other.current.fingerprint == live.current.fingerprint)
            #expect(Self.bytes(other.current.secret) == Self.bytes(live.current.secret))
            #expect(other.current.origin == live.current.origin)
            #expect(other.previous?.fingerprint == live.previous?.fingerprint)
            #expect(other.previousEndsAt == live.previousEndsAt)
        }
        let (ring, other) = (try #require(state.keys), try #require(again.keys))
        #expect(other.signing.id == ring.signing.id)
        #expect(other.next?.id == ring.next?.id)
        #expect(other.next?.signsFrom == ring.next?.signsFrom)
        #expect(other.retired.map(\.id) == ring.retired.map(\.id))
        #expect(other.retired.map(\.keptUntil) == ring.retired.map(\.keptUntil))
        #expect(other.signing.key.algorithm == ring.signing.key.algorithm)
        #expect(Self.bytes(try again.encoded()) == encoded)
    }

    @Test func itIsSealed() throws {
        let state = try Self.full()
        let sealed = try Self.key().seal(state)
        #expect(try Self.open(sealed, Self.key()).savedAt == state.savedAt)
        let kept = try #require(state.seeds.agents["a"]?.current.secret)
        let secret = Self.bytes(kept)
        #expect(!sealed.contains(secret))
        #expect(try Self.key().seal(state) != sealed, "each time under another nonce")
        #expect(throws: KeptStateFault.wrongKey) {
            _ = try Self.open(sealed, Self.key("fedcba9876543210fedcba9876543210"))
        }
        #expect(throws: IdentityError.stateKeyTooShort) { _ = try Self.key("too short") }
    }

    /// A bit that was changed anywhere, and an end that is missing anywhere.
    @Test func whatIsDamagedIsNotRead() throws {
        let key = try Self.key()
        let sealed = try key.seal(KeptState())
        for index in sealed.indices {
            var damaged = sealed
            damaged[index] ^= 1 << UInt8(index % 8)
            let copy = damaged
            #expect(throws: KeptStateFault.self) { _ = try Self.open(copy, key) }
            let cut = Array(sealed[..<index])
            #expect(throws: KeptStateFault.self) { _ = try Self.open(cut, key) }
        }
        // What could be sealed by nobody but us is still read with care.
        let encoded = Self.bytes(try Self.full().encoded())
        for count in stride(from: 0, to: encoded.count, by: 7) {
            let cut = Array(encoded[..<count])
            #expect(throws: KeptStateFault.self) { _ = try Self.decode(cut) }
        }
        let longer = encoded + [0]
        #expect(throws: KeptStateFault.malformed) { _ = try Self.decode(longer) }
        let newer = [9] + encoded.dropFirst()
        #expect(throws: KeptStateFault.unknownVersion(9)) {
            _ = try Self.decode(newer)
        }
    }

    @Test func answersAreBoundedAndGrowOld() {
        var state = KeptState()
        func answer(_ number: UInt64, at time: UInt64) -> KeptAnswer {
            KeptAnswer(
                key: SHA256Digest(number, 0, 0, 0), request: SHA256Digest(0, 0, 0, 0), at: time,
                rotationID: "", traceID: "", agent: "", oldEndsAt: 0)
        }
        for number in 0..<300 { state.keep(answer(UInt64(number), at: 1000)) }
        #expect(state.answers.count == KeptState.answersMax)
        #expect(state.answers.first?.key.word0 == 44)
        state.keep(answer(7, at: 1000 + 24 * 60 * 60 * 1000 + 1))
        #expect(state.answers.count == 1)
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard count >= part.count else { return false }
        return (0...count - part.count).contains { Array(self[$0..<$0 + part.count]) == part }
    }
}
