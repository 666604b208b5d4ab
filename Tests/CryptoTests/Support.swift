// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

// Expectations can take neither spans nor noncopyable values: these faces take arrays.

final class Digester {
    private var hasher: Hasher256

    init() throws { hasher = try Hasher256() }

    func hex(_ bytes: [UInt8]) -> String { hasher.digest(bytes.span).hex }
}

extension PublicKey {
    func believes(
        _ message: [UInt8], _ signature: [UInt8], _ algorithm: SignatureAlgorithm
    ) -> Bool {
        verify(algorithm, message: message.span, signature: signature.span)
    }
}

final class Pen {
    private var signer: Signer

    init(_ key: SigningKey) throws { signer = try Signer(key) }

    func sign(_ message: [UInt8]) throws -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: signer.signatureCount)
        var output = signature.mutableSpan
        try signer.sign(message.span, into: &output)
        return signature
    }
}

func digest(hex: String) -> SHA256Digest? {
    let text = Array(hex.utf8)
    return SHA256Digest(hex: text.span)
}

func digest(bytes: [UInt8]) -> SHA256Digest? { SHA256Digest(bytes: bytes.span) }

func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    constantTimeEquals(left.span, right.span)
}

func bytes(of digest: SHA256Digest) -> [UInt8] {
    let bytes = digest.bytes
    return bytes.span.array
}

func hex(_ bytes: [UInt8]) -> String { Hex.encode(bytes.span) }
