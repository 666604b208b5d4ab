// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

extension MicroCase {
    /// 96 bytes into a buffer.
    static let base64URLEncoding = MicroCase("base64url-encoding") { measure in
        let bytes = (0..<96).map { UInt8(truncatingIfNeeded: $0 &* 151) }
        var pool = SlabPool(bound: 1)
        var output = Buffer()
        guard output.attach(from: &pool) else { throw BenchmarkFault.failed("no slab") }
        defer { output.release(to: &pool) }
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                output.clear()
                output.append(base64URL: bytes.span)
                sum &+= output.count
            }
            return sum
        }
    }

    /// 128 characters into an array.
    static let base64URLDecoding = MicroCase("base64url-decoding") { measure in
        let bytes = (0..<96).map { UInt8(truncatingIfNeeded: $0 &* 151) }
        let text = Array(Base64URL.encode(bytes.span).utf8)
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                guard let decoded = Base64URL.decode(text.span) else {
                    throw BenchmarkFault.failed("not base64url")
                }
                sum &+= decoded.count
            }
            return sum
        }
    }

    /// A tool call of some 250 bytes, read into a tree.
    static let jsonReading = MicroCase("json-reading") { measure in
        let bytes = Sample.toolCall
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                let value = try JSONReader.read(bytes.span)
                sum &+= value.offset &+ (value["args"] == nil ? 0 : 1)
            }
            return sum
        }
    }
}
