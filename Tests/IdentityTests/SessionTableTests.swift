// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import TestSupport
import Testing

@Suite("Sessions")
struct SessionTableTests {
    static let start: UInt64 = 1_700_000_000_000

    @Test func aSessionStandsUntilItsEnd() throws {
        let sessions = try Sessions()
        let (grant, digest) = sessions.issue(lifetime: 300_000)
        #expect(grant.session.authTimeMilliseconds == Self.start)
        #expect(grant.session.expiresMilliseconds == Self.start + 300_000)
        let facts = try #require(
            sessions.table.check(
                digest, agent: 0, credential: Sessions.credential(0), address: 5, now: Self.start))
        #expect(facts.ref == grant.session.ref)
        #expect(text(facts.sid) == text(grant.session.sid))
        #expect(facts.authTimeMilliseconds == Self.start)
        #expect(sessions.lives(digest, now: Self.start + 299_999))
        #expect(!sessions.lives(digest, now: Self.start + 300_000))
    }

    @Test func tokensAreBase64URLAndDiffer() throws {
        let sessions = try Sessions()
        var seen: Set<String> = []
        for _ in 0..<200 {
            let (grant, _) = sessions.issue()
            let token = text(grant.token)
            let sid = text(grant.session.sid)
            #expect(token.utf8.count == 43 && sid.utf8.count == 22)
            let bytes = Array(token.utf8)
            #expect(Base64URL.decode(bytes.span)?.count == 32)
            #expect(!token.contains(sid))
            seen.insert(token)
            seen.insert(sid)
        }
        #expect(seen.count == 400)
    }

    @Test func itIsBoundToAgentCredentialAndAddress() throws {
        let sessions = try Sessions()
        let (_, digest) = sessions.issue(agent: 3, credential: 4, address: 5)
        #expect(sessions.lives(digest, agent: 3, credential: 4, address: 5))
        #expect(!sessions.lives(digest, agent: 2, credential: 4, address: 5))
        #expect(!sessions.lives(digest, agent: 3, credential: 5, address: 5))
        #expect(!sessions.lives(digest, agent: 3, credential: 4, address: 6))
        let (_, free) = sessions.issue(agent: 3, credential: 4, address: nil)
        #expect(sessions.lives(free, agent: 3, credential: 4, address: 6))
        let unknown = try sha256([1, 2, 3])
        #expect(!sessions.lives(unknown, agent: 3, credential: 4, address: 5))
    }

    @Test func revocation() throws {
        let sessions = try Sessions()
        let first = sessions.issue(agent: 1, credential: 1)
        let second = sessions.issue(agent: 1, credential: 2)
        let third = sessions.issue(agent: 1, credential: 2)
        let other = sessions.issue(agent: 2, credential: 1)
        #expect(sessions.table.count == 4)
        #expect(sessions.table.revoke(.one(third.grant.session.ref)) == 1)
        #expect(sessions.table.revoke(.one(third.grant.session.ref)) == 0)
        #expect(!sessions.table.isLive(third.grant.session.ref))
        #expect(!sessions.lives(third.digest, agent: 1, credential: 2))
        #expect(sessions.table.revoke(.credential(agent: 1, Sessions.credential(2))) == 1)
        #expect(!sessions.lives(second.digest, agent: 1, credential: 2))
        #expect(sessions.lives(first.digest, agent: 1, credential: 1))
        #expect(sessions.table.revoke(.agent(1)) == 1)
        #expect(!sessions.lives(first.digest, agent: 1, credential: 1))
        #expect(sessions.lives(other.digest, agent: 2, credential: 1))
        #expect(sessions.table.isLive(other.grant.session.ref))
        #expect(sessions.table.revoke(.agent(99)) == 0)
        #expect(sessions.table.revoke(.all) == 1)
        #expect(sessions.table.count == 0)
    }

    @Test func aRecordUsedAgainIsNotTheOldSession() throws {
        let sessions = try Sessions(capacity: 64)
        var refs: [SessionRef] = []
        for _ in 0..<300 {
            let (grant, _) = sessions.issue()
            #expect(refs.allSatisfy { $0 != grant.session.ref })
            refs.append(grant.session.ref)
            sessions.table.revoke(.one(grant.session.ref))
        }
        #expect(refs.allSatisfy { !sessions.table.isLive($0) })
    }

    @Test func theSweepDropsWhatIsOver() throws {
        // Room enough that no shard is full, wherever the random tokens fall.
        let sessions = try Sessions(capacity: 64 * 100)
        for _ in 0..<300 { _ = sessions.issue(lifetime: 1000) }
        for _ in 0..<100 { _ = sessions.issue(lifetime: 9000) }
        var swept = 0
        for turn in 0..<SessionTable.shardCount {
            let dropped = sessions.table.sweep(turn: turn, now: Self.start + 1000, limit: 4)
            #expect(dropped <= 4)
            swept += dropped
        }
        for turn in 0..<SessionTable.shardCount {
            swept += sessions.table.sweep(turn: turn, now: Self.start + 1000, limit: 1000)
        }
        #expect(swept == 300)
        #expect(sessions.table.count == 100)
    }

    // MARK: Tokens

    @Test func aTokenIsSharedForHalfItsLife() throws {
        let sessions = try Sessions()
        let ref = sessions.issue().grant.session.ref
        #expect(sessions.cached(ref) == nil)
        sessions.store(ref, "token")
        #expect(sessions.cached(ref) == "token")
        #expect(sessions.cached(ref, after: 29_999) == "token")
        #expect(sessions.cached(ref, after: 30_000) == nil)
        #expect(sessions.cached(ref, epoch: 2) == nil, "another key, user or scope")
        #expect(sessions.cached(ref, audience: 1) == nil)
        sessions.store(ref, "next", epoch: 2)
        #expect(sessions.cached(ref, epoch: 2) == "next")
        #expect(sessions.cached(ref, epoch: 1) == nil)
        sessions.table.revoke(.one(ref))
        #expect(sessions.cached(ref, epoch: 2) == nil)
    }

    @Test func tokensBelongToOneSessionAndFewAudiences() throws {
        let sessions = try Sessions()
        let first = sessions.issue().grant.session.ref
        let second = sessions.issue().grant.session.ref
        for audience in 0..<6 { sessions.store(first, "token \(audience)", audience: audience) }
        for audience in 0..<2 { #expect(sessions.cached(first, audience: audience) == nil) }
        for audience in 2..<6 {
            #expect(sessions.cached(first, audience: audience) == "token \(audience)")
            #expect(sessions.cached(second, audience: audience) == nil)
        }
    }

    @Test func aTokenStoredTooLateIsDropped() throws {
        let sessions = try Sessions()
        let ref = sessions.issue().grant.session.ref
        sessions.table.revoke(.all)
        sessions.store(ref, "late")
        #expect(sessions.cached(ref) == nil)
        _ = sessions.issue()
        #expect(sessions.cached(ref) == nil)
    }

    // MARK: At the bound

    @Test func atTheBoundTheGreedyGiveWay() throws {
        let sessions = try Sessions(capacity: 1024)
        let modest = (0..<32).map { _ in sessions.issue(agent: 7) }
        for _ in 0..<5000 { _ = sessions.issue(agent: 1) }
        #expect(sessions.table.count <= sessions.table.capacity)
        for session in modest { #expect(sessions.lives(session.digest, agent: 7)) }
        // A newcomer gets in where the greedy one holds everything else.
        let newcomer = (0..<32).map { _ in sessions.issue(agent: 9) }
        for session in newcomer { #expect(sessions.lives(session.digest, agent: 9)) }
        for session in modest { #expect(sessions.lives(session.digest, agent: 7)) }
    }

    @Test func theOldestOfOneAgentGoesFirst() throws {
        let sessions = try Sessions(capacity: 64)
        var issued: [SHA256Digest] = []
        for _ in 0..<2000 { issued.append(sessions.issue().digest) }
        // One record a shard: each shard keeps the last that fell into it.
        var newest: [UInt64: SHA256Digest] = [:]
        for digest in issued { newest[digest.word0 % 64] = digest }
        for digest in issued {
            #expect(sessions.lives(digest) == (newest[digest.word0 % 64] == digest))
        }
    }

    @Test func whatIsOverGoesBeforeWhatLives() throws {
        let sessions = try Sessions(capacity: 64 * 8)
        for _ in 0..<3000 { _ = sessions.issue(agent: 1, lifetime: 1000) }
        let later = Self.start + 1000
        let kept = (0..<64).map { _ in sessions.issue(agent: 2, now: later) }
        for session in kept { #expect(sessions.lives(session.digest, agent: 2, now: later)) }
    }

    /// Random operations against a dictionary; a failure names its seed.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func againstADictionary(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let sessions = try Sessions(capacity: 1 << 16)
        var model: [SHA256Digest: (agent: Int, expires: UInt64, ref: SessionRef)] = [:]
        var now = Self.start
        for _ in 0..<4000 {
            now += random.next() % 50
            let agent = Int(random.next() % 5)
            switch random.next() % 16 {
            case 0..<10:
                let lifetime = 1 + random.next() % 20_000
                let (grant, digest) = sessions.issue(agent: agent, now: now, lifetime: lifetime)
                model[digest] = (agent, now + lifetime, grant.session.ref)
            case 10..<14:
                guard let (digest, entry) = model.randomElement(using: &random) else { continue }
                sessions.table.revoke(.one(entry.ref))
                model[digest] = nil
            case 14 where random.next() % 8 == 0:
                sessions.table.revoke(.agent(agent))
                model = model.filter { $0.value.agent != agent }
            default:
                let turn = Int(random.next() % 64)
                _ = sessions.table.sweep(turn: turn, now: now, limit: 16)
            }
            guard let (digest, entry) = model.randomElement(using: &random) else { continue }
            let lives = sessions.lives(digest, agent: entry.agent, now: now)
            #expect(lives == (now < entry.expires), "seed \(seed)")
        }
        let living = model.filter { $0.value.expires > now }
        for (digest, entry) in living {
            #expect(sessions.lives(digest, agent: entry.agent, now: now))
        }
        for turn in 0..<64 { _ = sessions.table.sweep(turn: turn, now: now, limit: 1 << 16) }
        #expect(sessions.table.count == living.count, "seed \(seed)")
    }

    @Test func manyThreads() async throws {
        let table = SessionTable(capacity: 256)
        await withTaskGroup(of: Void.self) { group in
            for agent in 0..<8 {
                group.addTask {
                    guard var hasher = try? Hasher256() else { return }
                    var random = RandomSource()
                    for _ in 0..<500 {
                        let grant = table.issue(
                            SessionBinding(
                                agent: agent, credential: Sessions.credential(0), seed: 0,
                                address: nil),
                            now: Self.start, lifetime: 1000, random: &random, hasher: &hasher)
                        let token = grant.token
                        _ = table.check(
                            hasher.digest(token.span), agent: agent,
                            credential: Sessions.credential(0), address: 0,
                            now: Self.start)
                        table.revoke(.one(grant.session.ref))
                    }
                }
            }
        }
        #expect(table.count == 0)
    }
}
