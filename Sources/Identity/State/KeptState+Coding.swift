// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// To bytes and back.
extension KeptState {
    private static let version: UInt8 = 1

    package func encoded() throws(IdentityError) -> SecretBytes {
        var pems: [SecretBytes] = []
        for kept in ringKeys { pems.append(try Self.pem(of: kept.key)) }
        var measure = StateWriter(capacity: nil)
        write(to: &measure, pems)
        var writer = StateWriter(capacity: measure.count)
        write(to: &writer, pems)
        defer { writer.wipe() }
        return SecretBytes(copying: writer.bytes.span)
    }

    /// The signing one, those that were, and the next.
    private var ringKeys: [KeptKey] {
        guard let keys else { return [] }
        return [keys.signing] + keys.retired + (keys.next.map { [$0] } ?? [])
    }

    private static func pem(of key: SigningKey) throws(IdentityError) -> SecretBytes {
        do throws(CryptoError) { return try key.pem() } catch { throw .cryptography }
    }

    private func write(to writer: inout StateWriter, _ pems: [SecretBytes]) {
        writer.append(Self.version)
        writer.append(savedAt)
        writer.append(count: seeds.agents.count)
        for (name, live) in seeds.agents.sorted(by: { $0.key < $1.key }) {
            writer.append(name)
            writer.append(live.isDisabled ? 1 : 0, bytes: 1)
            writer.append(live.current)
            writer.append(live.previous?.end.wall ?? 0)
            if let previous = live.previous { writer.append(previous.seed) }
        }
        writer.append(count: seeds.superseded.count)
        for fingerprint in seeds.superseded {
            writer.append(fingerprint)
            writer.append(seeds.agent(of: fingerprint) ?? "")
        }
        writer.append(count: keys == nil ? 0 : 1)
        if let keys { write(keys, to: &writer, pems) }
        writer.append(count: answers.count)
        for answer in answers { writer.append(answer) }
    }

    private func write(_ ring: KeyRing, to writer: inout StateWriter, _ pems: [SecretBytes]) {
        writer.append(ring.tokenLifeMax)
        writer.append(count: ring.retired.count)
        writer.append(count: ring.next == nil ? 0 : 1)
        for (kept, pem) in zip(ringKeys, pems) {
            writer.append(pem)
            writer.append(kept.since)
            writer.append(kept.origin.rawValue)
            writer.append(kept.signsFrom.wall)
            writer.append(kept.keptUntil?.wall ?? 0)
        }
        writer.append(count: ring.superseded.count)
        for id in ring.superseded { writer.append(id) }
    }

    // MARK: Back

    /// - Parameter now: what is to come is waited for from here, or from when it was kept, where
    ///   a clock was set back since then.
    /// - Throws: where the bytes are none of ours; `unknownVersion` where a newer gateway wrote
    ///   them.
    package init(decoding bytes: Span<UInt8>, at now: Moment) throws(KeptStateFault) {
        guard bytes.count > 0 else { throw .malformed }
        guard bytes[0] == Self.version else { throw .unknownVersion(bytes[0]) }
        var reader = StateReader()
        _ = reader.number(bytes, size: 1)
        guard let savedAt = reader.number(bytes) else { throw .malformed }
        let now = Moment(wall: max(now.wall, savedAt), steady: now.steady)
        guard let seeds = reader.seeds(bytes, now), let hasKeys = reader.count(bytes, ofSize: 1)
        else { throw .malformed }
        var keys: KeyRing?
        if hasKeys > 0 {
            guard let ring = reader.keys(bytes, now) else { throw .malformed }
            keys = ring
        }
        guard let answers = reader.answers(bytes), reader.isAtEnd(bytes) else { throw .malformed }
        self.init(seeds: seeds, keys: keys, answers: answers, savedAt: savedAt)
    }
}

extension StateWriter {
    fileprivate mutating func append(_ seed: KeptSeed) {
        append(seed.secret)
        append(seed.fingerprint)
        append(seed.since)
        append(seed.origin.rawValue)
    }

    fileprivate mutating func append(_ answer: KeptAnswer) {
        append(answer.key)
        append(answer.request)
        append(answer.at)
        append(answer.rotationID)
        append(answer.traceID)
        append(answer.agent)
        append(answer.oldEndsAt)
    }
}

extension StateReader {
    fileprivate mutating func seeds(_ bytes: Span<UInt8>, _ now: Moment) -> SeedLedger? {
        guard let count = count(bytes, ofSize: 61) else { return nil }
        var agents: [String: LiveSeeds] = [:]
        for _ in 0..<count {
            guard let name = text(bytes), let disabled = number(bytes, size: 1),
                let current = seed(bytes), let ends = number(bytes)
            else { return nil }
            var live = LiveSeeds(current)
            live.isDisabled = disabled != 0
            if ends > 0 {
                guard let previous = seed(bytes) else { return nil }
                live.previous = LiveSeeds.Ending(
                    seed: previous, end: Deadline(wall: ends, from: now, max: SeedLedger.graceMax))
            }
            agents[name] = live
        }
        guard let over = self.count(bytes, ofSize: 36) else { return nil }
        var superseded: [(SHA256Digest, String)] = []
        for _ in 0..<over {
            guard let fingerprint = digest(bytes), let agent = text(bytes) else { return nil }
            superseded.append((fingerprint, agent))
        }
        return SeedLedger(agents: agents, superseded: superseded)
    }

    private mutating func seed(_ bytes: Span<UInt8>) -> KeptSeed? {
        guard let secret = secret(bytes), let fingerprint = digest(bytes),
            let since = number(bytes), let origin = origin(bytes)
        else { return nil }
        return KeptSeed(secret: secret, fingerprint: fingerprint, since: since, origin: origin)
    }

    private mutating func origin(_ bytes: Span<UInt8>) -> SecretOrigin? {
        number(bytes, size: 1).flatMap { SecretOrigin(rawValue: UInt8($0)) }
    }

    fileprivate mutating func keys(_ bytes: Span<UInt8>, _ now: Moment) -> KeyRing? {
        guard let tokenLife = number(bytes), tokenLife < Deadline.aheadMax,
            let retired = count(bytes, ofSize: 29),
            let waiting = count(bytes, ofSize: 29), waiting <= 1,
            let signing = key(bytes, tokenLife, now)
        else { return nil }
        var ring = KeyRing(first: signing, tokenLife: tokenLife)
        for _ in 0..<retired {
            guard let old = key(bytes, tokenLife, now) else { return nil }
            ring.retired.append(old)
        }
        if waiting == 1 {
            guard let next = key(bytes, tokenLife, now) else { return nil }
            ring.next = next
        }
        guard let over = count(bytes, ofSize: 4) else { return nil }
        for _ in 0..<over {
            guard let id = text(bytes) else { return nil }
            ring.superseded.append(id)
        }
        return ring
    }

    private mutating func key(
        _ bytes: Span<UInt8>, _ tokenLife: UInt64, _ now: Moment
    ) -> KeptKey? {
        guard let pem = secret(bytes), let since = number(bytes), let origin = origin(bytes),
            let signsFrom = number(bytes), let keptUntil = number(bytes)
        else { return nil }
        do {
            let publishedAfter = tokenLife + KeyRing.behindMilliseconds
            return try KeptKey(
                SigningKey(pem: pem.span), since: since, origin: origin,
                signsFrom: Deadline(wall: signsFrom, from: now, max: KeyRing.aheadMilliseconds),
                keptUntil: keptUntil == 0
                    ? nil : Deadline(wall: keptUntil, from: now, max: publishedAfter))
        } catch {
            return nil
        }
    }

    fileprivate mutating func answers(_ bytes: Span<UInt8>) -> [KeptAnswer]? {
        guard let count = count(bytes, ofSize: 80) else { return nil }
        var answers: [KeptAnswer] = []
        for _ in 0..<count {
            guard let key = digest(bytes), let request = digest(bytes), let at = number(bytes),
                let rotation = text(bytes), let trace = text(bytes), let agent = text(bytes),
                let ends = number(bytes)
            else { return nil }
            answers.append(
                KeptAnswer(
                    key: key, request: request, at: at, rotationID: rotation, traceID: trace,
                    agent: agent, oldEndsAt: ends))
        }
        return answers
    }
}
