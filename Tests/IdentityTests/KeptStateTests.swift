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

    /// When it is read again.
    static let now = Moment(wall: 1_700_000_001_000, steady: 400)

    static func open(_ sealed: [UInt8], _ key: StateKey) throws -> KeptState {
        try key.open(sealed.span, at: now)
    }

    static func decode(_ bytes: [UInt8]) throws -> KeptState {
        try KeptState(decoding: bytes.span, at: now)
    }

    static func bytes(_ secret: SecretBytes) -> [UInt8] { secret.span.array }

    static func full() throws -> KeptState {
        var state = KeptState()
        let saved = Moment(wall: 1_700_000_000_123, steady: 9_000_000)
        state.savedAt = saved.wall
        for name in ["a", "b", "c"] {
            let seed = try TOTPSeed.generate(parameters: .standard)
            _ = state.seeds.meet(seed, of: name, among: [], now: saved, grace: 0)
        }
        for agent in ["a", "b", "b"] {
            let seed = try TOTPSeed.generate(parameters: .standard)
            state.seeds.rotate(
                agent, to: KeptSeed(seed, since: 7, origin: .call),
                oldEnds: Deadline(in: 90_000, from: saved), saved)
        }
        _ = state.seeds.note("b", isDisabled: true)
        var ring = KeyRing(
            first: try KeptKey(
                first: .generate(.rs256), origin: .file,
                now: Moment(wall: saved.wall - 400_000, steady: saved.steady - 400_000)),
            tokenLife: 60_000)
        try ring.publish(
            .generate(.edDSA), origin: .call,
            now: Moment(wall: saved.wall - 350_000, steady: saved.steady - 350_000))
        #expect(ring.advance(now: saved).count == 1)
        try ring.publish(.generate(.es256), origin: .made, now: saved)
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
            #expect(other.previous?.seed.fingerprint == live.previous?.seed.fingerprint)
            #expect(other.previous?.end.wall == live.previous?.end.wall)
            #expect(other.isDisabled == live.isDisabled)
        }
        let (ring, other) = (try #require(state.keys), try #require(again.keys))
        #expect(other.signing.id == ring.signing.id)
        #expect(other.next?.id == ring.next?.id)
        #expect(other.next?.signsFrom.wall == ring.next?.signsFrom.wall)
        #expect(other.retired.map(\.id) == ring.retired.map(\.id))
        #expect(other.retired.map(\.keptUntil?.wall) == ring.retired.map(\.keptUntil?.wall))
        #expect(other.signing.key.algorithm == ring.signing.key.algorithm)
        #expect(Self.bytes(try again.encoded()) == encoded)
    }

    /// What is to come is waited for from now on, or from when it was kept, where the clock was set
    /// back since.
    @Test func whatIsToComeComesInTime() throws {
        let encoded = Self.bytes(try Self.full().encoded())
        for (wall, left) in [
            (1_700_000_010_123, 80_000), (1_700_000_090_123, 0), (1_600_000_000_000, 90_000),
        ] as [(UInt64, UInt64)] {
            let state = try KeptState(
                decoding: encoded.span, at: Moment(wall: wall, steady: 1000))
            #expect(state.seeds.agents["a"]?.previous?.end.steady == 1000 + left)
            let ring = try #require(state.keys)
            #expect(ring.next?.signsFrom.steady == 1000 + 220_000 + left)
            #expect(ring.retired.first?.keptUntil?.steady == 1000 + 30_000 + left)
        }
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
