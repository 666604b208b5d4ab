// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// HKDF (RFC 5869) as TLS 1.3 uses it (RFC 8446 §7.1). What is asked for never exceeds one output
/// of the hash.
extension HashEngine {
    /// The longest label, of `c hs traffic` and the like.
    private static let labelMax = 12
    /// A length, a label's length, `tls13 ` and the label, a context's length and the context,
    /// and HKDF's counter.
    private static let infoMax = 2 + 1 + 6 + labelMax + 1 + Digest.countMax + 1

    /// HKDF-Extract.
    func extract(
        _ function: HashFunction, salt: borrowing Secret, _ input: borrowing Secret
    ) throws(Alert) -> Secret {
        let output = Secret(count: function.count)
        // SAFETY: each secret owns as many bytes as it counts.
        unsafe try hmac(
            function, key: salt.bytes, keyCount: salt.count, message: input.bytes,
            count: input.count, into: output.bytes)
        return output
    }

    /// HKDF-Expand-Label into a secret of its own.
    ///
    /// - Parameter count: of the output; the hash's where it is left out.
    func expand(
        _ function: HashFunction, _ secret: borrowing Secret, _ label: StaticString,
        _ context: Span<UInt8>, count: Int? = nil
    ) throws(Alert) -> Secret {
        let output = Secret(count: count ?? function.count)
        unsafe try expand(function, secret, label, context, into: output.bytes, output.count)
        return output
    }

    /// HKDF-Expand-Label.
    ///
    /// - Parameter output: room for `outputCount` bytes.
    func expand(
        _ function: HashFunction, _ secret: borrowing Secret, _ label: StaticString,
        _ context: Span<UInt8>, into output: UnsafeMutablePointer<UInt8>, _ outputCount: Int
    ) throws(Alert) {
        precondition(outputCount <= function.count && secret.count == function.count)
        precondition(
            label.utf8CodeUnitCount <= Self.labelMax && context.count <= Digest.countMax)
        let isDone = unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: Self.infoMax + Digest.countMax
        ) { scratch in
            guard let info = scratch.baseAddress else { return false }
            let count = unsafe Self.writeInfo(label, context, outputCount, info)
            let digest = unsafe info + Self.infoMax
            // SAFETY: the digest's room is that of the longest hash; the info ends before it.
            let isDone: Bool
            do throws(Alert) {
                unsafe try hmac(
                    function, key: secret.bytes, keyCount: secret.count, message: info,
                    count: count, into: digest)
                unsafe output.update(from: digest, count: outputCount)
                isDone = true
            } catch {
                isDone = false
            }
            unsafe OPENSSL_cleanse(digest, Digest.countMax)
            return isDone
        }
        guard isDone else { throw .internalError }
    }

    private static func writeInfo(
        _ label: StaticString, _ context: Span<UInt8>, _ outputCount: Int,
        _ info: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var offset = 0
        func append(_ byte: UInt8) {
            unsafe info[offset] = byte
            offset += 1
        }
        append(0)
        append(UInt8(truncatingIfNeeded: outputCount))
        append(UInt8(truncatingIfNeeded: 6 + label.utf8CodeUnitCount))
        for byte in "tls13 ".utf8 { append(byte) }
        // SAFETY: the label's code units live as long as the program.
        for index in 0..<label.utf8CodeUnitCount { append(unsafe label.utf8Start[index]) }
        append(UInt8(truncatingIfNeeded: context.count))
        for index in context.indices { append(context[index]) }
        append(1)
        return offset
    }
}
