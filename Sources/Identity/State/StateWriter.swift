// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Numbers big-endian, texts and secrets behind their length.
///
/// It runs twice: once to measure, so that no secret is left behind where an array has grown, and
/// once to write.
struct StateWriter {
    private(set) var count = 0
    private(set) var bytes: [UInt8] = []
    private let isMeasuring: Bool

    /// - Parameter capacity: what the measuring came to; `nil` to measure.
    init(capacity: Int?) {
        isMeasuring = capacity == nil
        bytes.reserveCapacity(capacity ?? 0)
    }

    mutating func wipe() { bytes.wipe() }

    mutating func append(_ byte: UInt8) {
        count += 1
        if !isMeasuring { bytes.append(byte) }
    }

    mutating func append(_ value: UInt64, bytes size: Int = 8) {
        for place in (0..<size).reversed() {
            append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place)))
        }
    }

    mutating func append(count value: Int) { append(UInt64(value), bytes: 4) }

    mutating func append(_ text: String) {
        append(count: text.utf8.count)
        for byte in text.utf8 { append(byte) }
    }

    mutating func append(_ secret: SecretBytes) {
        append(count: secret.count)
        let span = secret.span
        for index in span.indices { append(span[index]) }
    }

    mutating func append(_ digest: SHA256Digest) {
        append(digest.word0)
        append(digest.word1)
        append(digest.word2)
        append(digest.word3)
    }
}

/// Reads what ``StateWriter`` wrote; `nil` where it ends too early or says what cannot be.
struct StateReader {
    private var offset = 0

    func isAtEnd(_ bytes: Span<UInt8>) -> Bool { offset == bytes.count }

    mutating func number(_ bytes: Span<UInt8>, size: Int = 8) -> UInt64? {
        guard bytes.count - offset >= size else { return nil }
        var value: UInt64 = 0
        for index in offset..<offset + size { value = value << 8 | UInt64(bytes[index]) }
        offset += size
        return value
    }

    /// How many of something follow, each of which takes at least `size` bytes.
    mutating func count(_ bytes: Span<UInt8>, ofSize size: Int) -> Int? {
        guard let value = number(bytes, size: 4), Int(value) <= (bytes.count - offset) / size else {
            return nil
        }
        return Int(value)
    }

    mutating func text(_ bytes: Span<UInt8>) -> String? {
        guard let range = range(bytes) else { return nil }
        var text: [UInt8] = []
        for index in range { text.append(bytes[index]) }
        return String(validating: text, as: UTF8.self)
    }

    mutating func secret(_ bytes: Span<UInt8>) -> SecretBytes? {
        range(bytes).map { SecretBytes(copying: bytes.extracting($0)) }
    }

    mutating func digest(_ bytes: Span<UInt8>) -> SHA256Digest? {
        guard let word0 = number(bytes), let word1 = number(bytes), let word2 = number(bytes),
            let word3 = number(bytes)
        else { return nil }
        return SHA256Digest(word0, word1, word2, word3)
    }

    private mutating func range(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard let length = count(bytes, ofSize: 1) else { return nil }
        defer { offset += length }
        return offset..<offset + length
    }
}
