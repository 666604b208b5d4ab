// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// Records out (RFC 8446 §5), through an outbox that waits for room.
extension ServerHandshake {
    func send(_ type: UInt8, plaintext content: Span<UInt8>) {
        outbox += [
            type, 3, 3, UInt8(truncatingIfNeeded: content.count >> 8),
            UInt8(truncatingIfNeeded: content.count),
        ]
        for index in content.indices { outbox.append(content[index]) }
    }

    /// In as many records as it takes.
    func seal(_ type: UInt8, _ content: Span<UInt8>) throws(Alert) {
        var start = 0
        while start < content.count {
            let count = min(content.count - start, plaintextMax)
            let record = outbox.count
            outbox.append(
                contentsOf: repeatElement(0, count: count + TLSSession.recordOverhead))
            var isSealed = false
            // SAFETY: the piece lies in the content, and the record has 22 bytes more.
            unsafe outbox.withUnsafeMutableBufferPointer { room in
                unsafe content.withUnsafeBufferPointer { source in
                    guard let output = room.baseAddress, let input = source.baseAddress else {
                        return
                    }
                    isSealed =
                        unsafe writing?.seal(
                            input + start, count, type: type, into: output + record) ?? false
                }
            }
            guard isSealed else {
                outbox.removeLast(outbox.count - record)
                throw .internalError
            }
            start += count
        }
    }

    func flush(_ output: inout Buffer) {
        guard !outbox.isEmpty else { return }
        let count = min(outbox.count - outboxStart, output.room)
        output.append(outbox.span.extracting(outboxStart..<outboxStart + count))
        outboxStart += count
        guard outboxStart == outbox.count else { return }
        outbox = []
        outboxStart = 0
    }

    func fail(_ alert: Alert) {
        state = .failed(reason: alert.reason)
        let content: [UInt8] = [2, alert.rawValue]
        if writing == nil {
            send(ContentType.alert, plaintext: content.span)
        } else {
            // Without memory for it nothing is said.
            try? seal(ContentType.alert, content.span)
        }
    }
}
