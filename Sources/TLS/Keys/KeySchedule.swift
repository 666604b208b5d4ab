// SPDX-License-Identifier: Apache-2.0

/// The chain of secrets that a handshake's keys are made from (RFC 8446 §7.1): early, handshake,
/// master.
struct KeySchedule: ~Copyable {
    let hash: HashFunction
    private let engine: HashEngine
    /// The present one of the three.
    private var secret: Secret

    /// The early secret.
    ///
    /// - Parameter preshared: zeros where there is no key from before.
    init(
        _ hash: HashFunction, preshared: borrowing Secret, _ engine: HashEngine
    ) throws(Alert) {
        self.hash = hash
        self.engine = engine
        secret = try engine.extract(hash, salt: Secret(count: hash.count), preshared)
    }

    /// The next secret, from this one and what is new.
    ///
    /// - Parameter input: zeros for the master secret.
    mutating func advance(with input: borrowing Secret) throws(Alert) {
        let nothing: [UInt8] = []
        let empty = try engine.hash(hash, nothing.span)
        let salt = try derive("derived", empty)
        secret.set(try engine.extract(hash, salt: salt, input))
    }

    /// Derive-Secret.
    ///
    /// - Parameter transcript: the hash of all messages that the secret is bound to.
    func derive(_ label: StaticString, _ transcript: Digest) throws(Alert) -> Secret {
        try engine.expand(hash, secret, label, transcript.span)
    }

    /// The MAC of a Finished message or a binder (§4.4.4).
    ///
    /// - Parameter base: the traffic secret of who sends it, or the binder key.
    func finished(
        _ base: borrowing Secret, _ transcript: Digest
    ) throws(Alert) -> Digest {
        try finished(under: finishedKey(base), transcript)
    }

    /// What is kept of a traffic secret where the Finished comes later.
    func finishedKey(_ base: borrowing Secret) throws(Alert) -> Secret {
        let nothing: [UInt8] = []
        return try engine.expand(hash, base, "finished", nothing.span)
    }

    func finished(
        under key: borrowing Secret, _ transcript: Digest
    ) throws(Alert) -> Digest {
        try engine.hmac(hash, key, transcript.span)
    }
}

extension HashEngine {
    fileprivate func hmac(
        _ function: HashFunction, _ key: borrowing Secret, _ message: Span<UInt8>
    ) throws(Alert) -> Digest {
        var digest = Digest(function)
        var isDone = false
        var room = digest.bytes.mutableSpan
        // SAFETY: the room is that of the longest hash; message and key are readable.
        unsafe room.withUnsafeMutableBufferPointer { output in
            unsafe message.withUnsafeBufferPointer { input in
                guard let output = output.baseAddress else { return }
                do throws(Alert) {
                    unsafe try hmac(
                        function, key: key.bytes, keyCount: key.count, message: input.baseAddress,
                        count: input.count, into: output)
                    isDone = true
                } catch {}
            }
        }
        guard isDone else { throw .internalError }
        return digest
    }
}
