// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// An end of a connection that the world holds.
@safe
final class Line {
    enum Received: Equatable {
        case bytes(Int)
        case nothingYet
        case end
        case failed
    }

    private var end: OpaquePointer?
    let link: UInt32
    /// A send has taken the reset from the socket: what is read then looks like FIN.
    private(set) var hasSendFailed = false

    init(_ end: OpaquePointer) {
        unsafe self.end = end
        link = unsafe sk_link(end)
    }

    var isOpen: Bool { unsafe end != nil }
    var isDelivered: Bool { unsafe end.map { unsafe sk_is_delivered($0) } ?? true }

    /// How many bytes were with the gateway when it sent FIN; `nil` where it has not.
    var seenAtFIN: UInt64? {
        guard let end = unsafe end else { return nil }
        let count = unsafe sk_seen_at_fin(end)
        return count == .max ? nil : count
    }

    /// Appends what has come, so many bytes at most.
    func receive(into bytes: inout [UInt8], limit: Int) -> Received {
        guard let end = unsafe end else { return .failed }
        var result = 0
        let part = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            // SAFETY: at most `limit` bytes are written to a buffer of that size.
            result = unsafe sk_receive(end, buffer.baseAddress, limit)
            filled = max(0, result)
        }
        if result > 0 {
            bytes += part
            return .bytes(result)
        }
        if result == 0 { return hasSendFailed ? .failed : .end }
        return result == -11 ? .nothingYet : .failed
    }

    /// - Returns: how many bytes were taken; `nil` where the connection is gone.
    func send(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let end = unsafe end else { return nil }
        // SAFETY: at most `count` bytes are read.
        let result = unsafe bytes.withUnsafeBufferPointer {
            unsafe sk_send(end, $0.baseAddress, $0.count)
        }
        if result >= 0 { return result }
        if result == -11 { return 0 }
        hasSendFailed = true
        return nil
    }

    func finishWriting() {
        if let end = unsafe end { unsafe sk_finish_writing(end) }
    }

    func close(resets: Bool) {
        guard let end = unsafe end else { return }
        unsafe self.end = nil
        unsafe sk_close(end, resets)
    }
}
