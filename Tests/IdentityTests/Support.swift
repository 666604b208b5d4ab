// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity

// Expectations can take neither spans nor noncopyable values: these faces take arrays.

final class Checker {
    private var checker: TOTPChecker

    init(_ seeds: [TOTPSeed]) throws { checker = try TOTPChecker(seeds: seeds) }

    func match(_ seed: Int, _ code: String, step: UInt64, skew: Int = 0) -> UInt64? {
        checker.match(seed: seed, code: Array(code.utf8).span, step: step, skew: skew)
    }
}

/// A buffer with its pool, for writers.
final class Page {
    private var pool = SlabPool(bound: 1)
    var buffer = Buffer()

    init() { _ = buffer.attach(from: &pool) }

    deinit { buffer.release(to: &pool) }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var bytes: [UInt8] { Self.bytes(of: buffer) }

    var room: Int { buffer.room }
    var overflowed: Bool { buffer.overflowed }

    private static func bytes(of buffer: borrowing Buffer) -> [UInt8] { buffer.readable.array }
}

func sha256(_ bytes: [UInt8]) throws -> SHA256Digest {
    var hasher = try Hasher256()
    return hasher.digest(bytes.span)
}

func text(_ token: SessionToken) -> String { token.span.string }
func text(_ id: PublicID) -> String { id.span.string }
