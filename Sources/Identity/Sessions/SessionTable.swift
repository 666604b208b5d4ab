// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Synchronization

/// Sessions that stand for a code until their absolute end, shared by all workers.
///
/// Only the SHA-256 of a token is kept. Agents are numbers that whoever owns the table keeps stable
/// for as long as sessions live, reloads included: see ``revoke(_:)``. A check takes one lock and
/// allocates nothing.
package final class SessionTable: Sendable {
    package static let shardCount = 64

    /// Sessions at most; beyond it the fair choice of `SessionShard.makeRoom` goes.
    package let capacity: Int
    private let shards: InlineArray<64, Mutex<SessionShard>>

    package init(capacity: Int) {
        let perShard = max(1, (capacity + Self.shardCount - 1) / Self.shardCount)
        self.capacity = perShard * Self.shardCount
        shards = InlineArray { _ in Mutex(SessionShard(capacity: perShard)) }
    }

    // MARK: Issue and check

    /// Begins a session for a request that has just passed a code.
    ///
    /// - Parameter now, lifetime: milliseconds.
    package func issue(
        _ binding: SessionBinding, now: UInt64, lifetime: UInt64, random: inout RandomSource,
        hasher: inout Hasher256
    ) -> SessionGrant {
        precondition(binding.agent >= 0)
        let token = RandomText.sessionToken(&random)
        var record = SessionRecord()
        record.digest = hasher.digest(token.span)
        record.agent = binding.agent
        record.credential = binding.credential
        record.seed = Int32(binding.seed)
        record.issuer = Int32(binding.issuer)
        record.address = binding.address
        record.sid = RandomText.publicID(&random)
        record.authTime = now
        record.expires = now + lifetime
        let index = Self.shard(of: record.digest)
        let (slot, generation) = shards[index].withLock { $0.insert(record, now: now) }
        let ref = SessionRef(shard: Int32(index), slot: slot, generation: generation)
        return SessionGrant(
            token: token,
            session: SessionFacts(
                ref: ref, sid: record.sid, seed: binding.seed, authTimeMilliseconds: now,
                expiresMilliseconds: record.expires))
    }

    /// What the session says, or `nil` where there is none, or it is over, or it belongs to
    /// someone or somewhere else.
    ///
    /// - Parameter digest: SHA-256 of the token's 43 characters.
    package func check(
        _ digest: SHA256Digest, agent: Int, credential: SHA256Digest, address: ClientAddress,
        now: UInt64
    ) -> SessionFacts? {
        let index = Self.shard(of: digest)
        return shards[index].withLock { shard in
            guard let slot = shard.find(digest), shard.records[slot].expires > now,
                shard.records[slot].agent == agent, shard.records[slot].credential == credential
            else { return nil }
            if let bound = shard.records[slot].address, bound != address { return nil }
            return SessionFacts(
                ref: SessionRef(
                    shard: Int32(index), slot: Int32(slot),
                    generation: shard.records[slot].generation),
                sid: shard.records[slot].sid, seed: Int(shard.records[slot].seed),
                authTimeMilliseconds: shard.records[slot].authTime,
                expiresMilliseconds: shard.records[slot].expires)
        }
    }

    /// Whether a session that was checked before, such as the one that opened a WebSocket, is
    /// still held. Before its end, `false` says that it was revoked, or gave way in a full table;
    /// after its end it says nothing, since it may have been swept.
    package func isLive(_ ref: SessionRef) -> Bool {
        shards[Int(ref.shard)].withLock { $0.resolve(ref) != nil }
    }

    // MARK: Tokens

    /// Appends the session's signed token for an audience, if it is fresh: while more than half
    /// of its life is left.
    ///
    /// - Parameter epoch: as for `storeToken`.
    package func cachedToken(
        _ ref: SessionRef, audience: Int, epoch: UInt64, now: UInt64, into buffer: inout Buffer
    ) -> Bool {
        shards[Int(ref.shard)].withLock { shard in
            guard let slot = shard.resolve(ref) else { return false }
            for index in shard.records[slot].tokens.indices
            where shard.records[slot].tokens[index].audience == audience {
                guard shard.records[slot].tokens[index].epoch == epoch,
                    now < shard.records[slot].tokens[index].refreshMilliseconds
                else { return false }
                let bytes = shard.records[slot].tokens[index].bytes
                buffer.append(bytes.span)
                return true
            }
            return false
        }
    }

    /// Keeps a signed token for the session's next requests.
    ///
    /// - Parameter epoch: a number that changes with whatever else the token depends on: signing
    ///   key, user, scopes, `amr`.
    package func storeToken(
        _ ref: SessionRef, audience: Int, epoch: UInt64, issuedMilliseconds: UInt64,
        expiresMilliseconds: UInt64, bytes: Span<UInt8>
    ) {
        let life = expiresMilliseconds - min(issuedMilliseconds, expiresMilliseconds)
        let token = CachedToken(
            audience: audience, epoch: epoch,
            refreshMilliseconds: expiresMilliseconds - life / 2, bytes: bytes.array)
        shards[Int(ref.shard)].withLock { shard in
            if let slot = shard.resolve(ref) { shard.store(token, at: slot) }
        }
    }

    // MARK: Ending

    /// - Returns: how many were ended.
    @discardableResult
    package func revoke(_ selection: SessionSelection) -> Int {
        switch selection {
        case .all: inEveryShard { $0.removeAll { _ in true } }
        case .agent(let agent): inEveryShard { $0.remove(agent: agent) { _ in true } }
        case .credential(let agent, let credential):
            inEveryShard { $0.remove(agent: agent) { $0.credential == credential } }
        case .seed(let agent, let record):
            inEveryShard { $0.remove(agent: agent) { $0.seed == Int32(record) } }
        case .tokens(let agent): inEveryShard { $0.remove(agent: agent) { $0.issuer != 0 } }
        case .issuer(let issuer): inEveryShard { $0.removeAll { $0.issuer == Int32(issuer) } }
        case .named(let sid): inEveryShard { $0.remove(named: sid) }
        case .one(let ref):
            shards[Int(ref.shard)].withLock { shard in
                guard let slot = shard.resolve(ref) else { return 0 }
                shard.remove(slot)
                return 1
            }
        }
    }

    private func inEveryShard(_ remove: (inout SessionShard) -> Int) -> Int {
        var removed = 0
        for index in shards.indices { removed += shards[index].withLock { remove(&$0) } }
        return removed
    }

    /// Looks at some records of one shard and drops those that are over.
    ///
    /// - Parameters:
    ///   - turn: counts the calls; each goes to the next shard.
    ///   - limit: records to look at.
    package func sweep(turn: Int, now: UInt64, limit: Int = 64) -> Int {
        let index = Int(UInt(bitPattern: turn) % UInt(Self.shardCount))
        return shards[index].withLock { $0.sweep(now: now, limit: limit) }
    }

    /// Records that are held, those included that are over and not swept yet.
    package var count: Int {
        var count = 0
        for index in shards.indices { count += shards[index].withLock { $0.count } }
        return count
    }

    private static func shard(of digest: SHA256Digest) -> Int {
        Int(truncatingIfNeeded: digest.word0 & UInt64(shardCount - 1))
    }
}
