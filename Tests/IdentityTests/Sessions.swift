// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity

/// A session table with what a worker brings along.
final class Sessions {
    let table: SessionTable
    private var random = RandomSource()
    private var hasher: Hasher256

    init(capacity: Int = 1024) throws {
        table = SessionTable(capacity: capacity)
        hasher = try Hasher256()
    }

    static func credential(_ number: Int) -> SHA256Digest {
        SHA256Digest(UInt64(number), 1, 2, 3)
    }

    func issue(
        agent: Int = 0, credential: Int = 0, seed: Int = 0, address: ClientAddress? = nil,
        now: UInt64 = SessionTableTests.start, lifetime: UInt64 = 300_000
    ) -> (grant: SessionGrant, digest: SHA256Digest) {
        let grant = table.issue(
            SessionBinding(
                agent: agent, credential: Self.credential(credential), seed: seed,
                address: address),
            now: now, lifetime: lifetime, random: &random, hasher: &hasher)
        let token = grant.token
        return (grant, hasher.digest(token.span))
    }

    func lives(
        _ digest: SHA256Digest, agent: Int = 0, credential: Int = 0, address: ClientAddress = 0,
        now: UInt64 = SessionTableTests.start
    ) -> Bool {
        let found = table.check(
            digest, agent: agent, credential: Self.credential(credential), address: address,
            now: now)
        return found != nil
    }

    func store(_ ref: SessionRef, _ text: String, audience: Int = 0, epoch: UInt64 = 1) {
        let bytes = Array(text.utf8)
        table.storeToken(
            ref, audience: audience, epoch: epoch, issuedMilliseconds: SessionTableTests.start,
            expiresMilliseconds: SessionTableTests.start + 60_000, bytes: bytes.span)
    }

    func cached(
        _ ref: SessionRef, audience: Int = 0, epoch: UInt64 = 1,
        after milliseconds: UInt64 = 0
    ) -> String? {
        let page = Page()
        let found = table.cachedToken(
            ref, audience: audience, epoch: epoch,
            now: SessionTableTests.start + milliseconds, into: &page.buffer)
        return found ? page.text : nil
    }
}
